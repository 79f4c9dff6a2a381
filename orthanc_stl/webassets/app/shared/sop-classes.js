/** The SOP classes that the pages know. tests/sources/test_places.py holds this list to that of the server. */

export const STL = '1.2.840.10008.5.1.4.1.1.104.3';
export const OBJ = '1.2.840.10008.5.1.4.1.1.104.4';
export const MTL = '1.2.840.10008.5.1.4.1.1.104.5';
export const RAW_DATA = '1.2.840.10008.5.1.4.1.1.66';
export const RT_STRUCT = '1.2.840.10008.5.1.4.1.1.481.3';

/** Objects that say where structures are: RT-STRUCT, SEG (also of label maps), RTDOSE, Surface Segmentation. */
export const STRUCTURES = [RT_STRUCT, '1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7',
  '1.2.840.10008.5.1.4.1.1.481.2', '1.2.840.10008.5.1.4.1.1.66.5'];

/** The modalities of STRUCTURES. */
export const STRUCTURE_MODALITIES = ['RTSTRUCT', 'SEG', 'RTDOSE'];
