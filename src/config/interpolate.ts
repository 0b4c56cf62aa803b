export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolation = { text: string } | { problem: string };

/** `$${` (the text `${`), or `${` and what follows up to the closing brace, if there is one. */
const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const nameAndDefault = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` (used when the variable is unset or empty, as a shell does)
 * by values of the environment. `$${` stands for the two characters themselves.
 */
export function interpolate(text: string, env: Environment): Interpolation {
  const problems: string[] = [];
  const replaced = text.replace(reference, (whole, inside: string | undefined, end: string | undefined) => {
    if (inside === undefined) return "${";
    const [, name, fallback] = nameAndDefault.exec(inside) ?? [];
    if (name === undefined || end === "") {
      problems.push(
        `${whole} is not a variable: write \${NAME} or \${NAME:-default}, or $${whole} for the text itself`,
      );
      return whole;
    }
    const value = env[name];
    if (value !== undefined && (value !== "" || fallback === undefined)) return value;
    if (fallback !== undefined) return fallback;
    problems.push(`the environment variable ${name} is not set; \${${name}:-default} would give a default`);
    return whole;
  });
  const [problem] = problems;
  return problem === undefined ? { text: replaced } : { problem };
}
