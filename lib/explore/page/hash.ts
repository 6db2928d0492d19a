/** Stands in for node:crypto in a browser: charts name their classes by it. */
export function createHash() {
  let text = "";
  const hash = {
    update(more: string) {
      text += more;
      return hash;
    },
    /** FNV-1a of 32 bits, twice: names in a page, nothing that is secret. */
    digest() {
      const of = (start: number) => {
        let h = start;
        for (let i = 0; i < text.length; i++) {
          h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
        }
        return (h >>> 0).toString(16).padStart(8, "0");
      };
      return of(0x811c9dc5) + of(0x01234567);
    },
  };
  return hash;
}
