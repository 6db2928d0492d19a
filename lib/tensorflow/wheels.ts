/** The wheels that FERLab knows, by platform: version, size and SHA-256. */
import { LibraryError } from "./location.ts";
import table from "./wheels.json" with { type: "json" };

/** A wheel whose file is known. */
export interface Pin {
  version: string;
  sha256: string;
  bytes: number;
  /** Bytes of what is kept of it. */
  kept: number;
}

/** The known wheels of one platform, by package. */
export type Pins = Record<string, Pin>;

/** A wheel to fetch: which versions may be taken, and what is known of it. */
export interface Wheel extends Partial<Pin> {
  name: string;
  /** As pip writes it: "==2.21.0", "<13.0,>=12.5.82". */
  version: string;
}

/** The known wheels of this platform (none: nothing can be checked). */
export function pinsHere(
  platform = `${Deno.build.os}-${Deno.build.arch}`,
): Pins {
  return (table as Record<string, Pins>)[platform] ?? {};
}

/** One version of a package, with what is known of its wheel. */
export function wheelOf(name: string, version: string, pins: Pins): Wheel {
  const known = pins[name]?.version === version ? pins[name] : {};
  return { ...known, name, version: `==${version}` };
}

/**
 * The wheels of CUDA that a TensorFlow wheel's METADATA names under the extra
 * "and-cuda": the known ones, or, when `pins` is empty, any that it admits.
 * @throws LibraryError when it names none, or one that is not known.
 */
export function cudaWheels(requires: readonly string[], pins: Pins): Wheel[] {
  const wheels = requires.flatMap((line) => {
    const [, name, version] =
      /^([\w.-]+)\s*\(?([^;)]*)\)?\s*;.*\bextra\s*==\s*["']and-cuda["']/
        .exec(line) ?? [];
    return name ? [{ name, version: version.replaceAll(" ", "") }] : [];
  });
  if (!wheels.length) {
    throw new LibraryError(
      "the wheel of TensorFlow names no CUDA libraries (extra and-cuda), so " +
        "that its GPU build would find none; choose another --version",
    );
  }
  if (!Object.keys(pins).length) return wheels;
  return wheels.map(({ name }) => {
    if (pins[name]) return wheelOf(name, pins[name].version, pins);
    throw new LibraryError(
      `the wheel of TensorFlow names ${name}, whose SHA-256 FERLab does not know`,
    );
  });
}

/** Bytes that an install takes at most while it runs; 0: not known. */
export function bytesNeeded(wheels: readonly Partial<Pin>[]): number {
  if (wheels.some(({ bytes, kept }) => !bytes || !kept)) return 0;
  // One wheel at a time, and pip copies it once.
  return 2 * Math.max(...wheels.map(({ bytes }) => bytes!)) +
    wheels.reduce((sum, { kept }) => sum + kept!, 0);
}
