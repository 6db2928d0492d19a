/** Errors of a cell: the line they came from, and what was not parsed. */
import { stripAnsi } from "./ansi.ts";
import type { Output } from "./types.ts";
import { stripTypes } from "./strip_types.ts";

type ErrorOutput = Extract<Output, { output_type: "error" }>;

const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** For each generated line, the source line of its first mapping (both from 0). */
function sourceLines(mappings: string): (number | undefined)[] {
  let source = 0;
  return mappings.split(";").map((line) => {
    let first: number | undefined;
    for (const segment of line.split(",")) {
      const fields: number[] = [];
      let value = 0, shift = 0;
      for (const c of segment) {
        const bits = BASE64.indexOf(c);
        value |= (bits & 31) << shift;
        shift += 5;
        if (bits & 32) continue;
        fields.push(value & 1 ? -(value >> 1) : value >> 1);
        value = shift = 0;
      }
      if (fields.length < 4) continue;
      source += fields[2];
      first ??= source;
    }
    return first;
  });
}

/**
 * The line of the cell (from 1) that an error's traceback points at.
 *
 * The kernel counts lines in the JavaScript that it emits, without blank
 * lines; the same emit, made here with a source map, leads back to the cell.
 */
export function errorLine(
  source: string,
  traceback: string[],
): number | undefined {
  const frames = [...traceback.join("\n").matchAll(/<anonymous>:(\d+):\d+/g)];
  const emitted = Number(frames.at(-1)?.[1]); // the outermost is the cell's own
  if (!emitted) return;
  try {
    const code = stripTypes(source, "transform", true);
    const map = JSON.parse(atob(code.slice(code.lastIndexOf("base64,") + 7)));
    const line = sourceLines(map.mappings)[emitted - 1];
    return line === undefined ? undefined : line + 1;
  } catch {
    return; // JSX, or anything else that this emit does not read
  }
}

/** The first error that Deno told on stderr, with its cause; one line. */
export function denoError(stderr: string): string | undefined {
  const [, message] = /^error: (.*)/m.exec(stderr) ?? [];
  const [, cause] = /^Caused by:\s*\n\s*(.*)/m.exec(stderr) ?? [];
  return message &&
    (cause ? `${message.replace(/\.$/, "")}: ${cause}` : message);
}

/**
 * What the kernel calls an "Unterminated string literal" is a value that it
 * could not send: half a character. The error in words of its own then.
 */
export function explained<T extends { ename: string; evalue: string }>(
  error: T,
): T {
  const broken = "Unterminated string literal";
  if (error.ename !== broken || error.evalue !== broken) return error;
  const evalue = "what the cell threw, or its last value, holds half a " +
    "character (a lone surrogate, as text.slice() may leave one), which the " +
    "kernel cannot tell; text.toWellFormed() mends it";
  return { ...error, ename: "Error", evalue };
}

/** Names what the kernel only calls "Execution failed": mostly syntax. */
export async function syntaxError(source: string): Promise<ErrorOutput> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext=tsx", "-"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(source));
    await writer.close();
  } catch { /* it ended before it read everything; its message tells */ }
  const { success, stderr } = await child.output();
  const text = stripAnsi(new TextDecoder().decode(stderr));
  const message = /SyntaxError: (.*)/.exec(text)?.[1];
  const [, line, column] = /_stdin\.tsx?:(\d+):(\d+)/.exec(text) ?? [];
  if (success || !message) {
    const package_ = /["']((?:npm|jsr):[^"']+)["']/.exec(source)?.[1];
    return {
      output_type: "error",
      ename: "SyntaxError",
      evalue: "the kernel could not run this cell and gave no reason; " +
        (package_
          ? "a name declared twice does this, a wrong use of `await`, or a " +
            "package that deno.lock lacks where it is frozen (" +
            `\`deno cache --frozen=false ${package_}\`, then a new kernel)`
          : "a name declared twice, or a wrong use of `await`, does this"),
      traceback: [],
    };
  }
  const lines = source.split("\n");
  const n = Number(line);
  return {
    output_type: "error",
    ename: "SyntaxError",
    evalue: message,
    traceback: [
      `SyntaxError: ${message}`,
      ...(n ? [`  ${n} | ${lines[n - 1] ?? ""}`] : []),
      ...(n ? [`    at <cell>:${line}:${column}`] : []),
    ],
  };
}
