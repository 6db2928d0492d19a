/** Does work with environment variables set (null: unset), then as before. */
export async function withEnv<T>(
  set: Record<string, string | null>,
  work: () => T | Promise<T>,
): Promise<T> {
  const put = (name: string, value: string | null | undefined) =>
    value == null ? Deno.env.delete(name) : Deno.env.set(name, value);
  const before = Object.keys(set).map((n) => [n, Deno.env.get(n)] as const);
  for (const name in set) put(name, set[name]);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) put(name, value);
  }
}
