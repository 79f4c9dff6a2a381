/** Letters that say which way of the patient is meant, in DICOM's axes (LPS). */

const LETTERS = [['R', 'L'], ['A', 'P'], ['I', 'S']];

/** @param {number[]} direction three numbers, LPS @returns {string} at most two, the stronger first ("L", "LA") */
export function lettersOf(direction) {
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: LETTERS[axis][value > 0 ? 1 : 0] }))
    .filter(({ size }) => size > 0.38)
    .sort((a, b) => b.size - a.size)
    .slice(0, 2).map(({ letter }) => letter).join('');
}
