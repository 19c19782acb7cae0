/**
 * Words that somebody may have meant.
 *
 * @module
 */

/** Most suggestions given. */
const suggestionsMax = 3;

/** Edits (insert, delete, replace, swap of neighbours) that make one word of the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The words nearest to `word`, the nearest first; none if nothing is near. */
export function nearestWords(word: string, known: readonly string[]): readonly string[] {
  const reach = Math.max(1, Math.floor(word.length / 3));
  return known
    .map((candidate) => ({
      candidate,
      distance: word.length > 1 && candidate.startsWith(word) ? 0.5 : editDistance(word, candidate),
    }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, suggestionsMax)
    .map(({ candidate }) => candidate);
}

/** "did you mean …?", or `undefined`. */
export function didYouMean(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const last = words.at(-1) ?? "";
  const list = words.length === 1 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
  return `Did you mean ${list}?`;
}
