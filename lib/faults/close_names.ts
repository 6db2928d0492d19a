/** Names that a mistyped one was probably meant to be. */

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(
        rows[i - 1][j] + 1,
        row[j - 1] + 1,
        rows[i - 1][j - 1] + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/** A word without what is easily mistaken: case, blanks, hyphens. */
const plain = (s: string) =>
  s.slice(0, 100).replace(/[-_ ]/g, "").toLowerCase();

/** Of `names` those that `given` was probably meant to be, the closest first. */
export function closeNames(given: string, names: readonly string[]): string[] {
  const word = plain(given);
  const edits = (name: string) => {
    const other = plain(name);
    const isPart = word.length > 2 && other.includes(word) ||
      other.length > 2 && word.includes(other);
    return Math.min(isPart ? 1 : Infinity, distance(word, other));
  };
  return [...new Set(names)]
    .map((name) => ({ name, edits: edits(name) }))
    .filter((n) => n.edits <= Math.max(1, Math.floor(n.name.length / 3)))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3).map((n) => n.name);
}

/** `; did you mean "a" or "b"?`; nothing where no name is close. */
export function meantText(given: string, names: readonly string[]): string {
  const close = closeNames(given, names).map((name) => `"${name}"`);
  return close.length > 0 ? `; did you mean ${close.join(" or ")}?` : "";
}
