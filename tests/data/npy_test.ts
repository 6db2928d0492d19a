/** One number of a .npy file against files that numpy wrote. */
import { strict as assert } from "node:assert";
import { npyNumber } from "../../lib/data/formats/npy.ts";

const FIXTURE = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/npy.json", import.meta.url)),
) as Record<"three" | "refused", Record<string, string>> & {
  "minus2.5": string;
  "int64 -2": string;
};
const bytesOf = (base64: string) =>
  Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

Deno.test("a three is a three in every type, byte order, shape and version", () => {
  for (const [what, base64] of Object.entries(FIXTURE.three)) {
    assert.equal(npyNumber(bytesOf(base64)), 3, what);
  }
});

Deno.test("signs and fractions are kept", () => {
  assert.equal(npyNumber(bytesOf(FIXTURE["minus2.5"])), -2.5);
  assert.equal(npyNumber(bytesOf(FIXTURE["int64 -2"])), -2);
});

Deno.test("a file that lies at an odd place in a larger buffer reads the same", () => {
  const bytes = bytesOf(FIXTURE.three[">i8"]);
  const larger = new Uint8Array(bytes.length + 3);
  larger.set(bytes, 3);
  assert.equal(npyNumber(larger.subarray(3)), 3);
});

Deno.test("what is no .npy file or holds no one number says what it is", () => {
  const says = (bytes: Uint8Array, message: RegExp) =>
    assert.throws(() => npyNumber(bytes), { name: "DataError", message });
  const html = new TextEncoder().encode("<!DOCTYPE html><html></html>");
  says(html, /^not a \.npy file$/);
  says(new Uint8Array(0), /^not a \.npy file$/);
  says(bytesOf(FIXTURE.refused["two elements"]), /array of 2; want one value/);
  says(bytesOf(FIXTURE.refused.empty), /array of 0; want one value/);
  says(bytesOf(FIXTURE.refused.object), /type O is no number/);
  says(bytesOf(FIXTURE.refused.complex), /type c16 is no number/);
  says(bytesOf(FIXTURE.refused.text), /holds "happy"; want a number/);
  says(bytesOf(FIXTURE.refused["no text"]), /holds ""; want a number/);
});

Deno.test("a .npy file that is cut anywhere is refused", () => {
  const bytes = bytesOf(FIXTURE.three["i8 0-d"]);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => npyNumber(bytes.subarray(0, length)), {
      name: "DataError",
    }, `${length} of ${bytes.length} bytes`);
  }
});
