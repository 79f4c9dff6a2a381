/** The number of a new series of models, as `number_after` of orthanc_stl/rest/storing.py has it. */

/**
 * One more than the largest Series Number of a study's models.
 * @param {Record<string, string>[]} series the tags of each @param {string[]} modalities of models @returns {number}
 */
export function numberAfter(series, modalities) {
  const numbers = series.filter(({ Modality }) => modalities.includes(Modality))
    .map(({ SeriesNumber }) => SeriesNumber ?? '').filter((number) => /^[0-9]{1,9}$/.test(number));
  return Math.max(0, ...numbers.map(Number)) + 1;
}
