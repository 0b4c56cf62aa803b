/** A name between double braces: `{{job}}`, blanks inside allowed. */
const placeholder = /\{\{([^{}\n]{0,100})\}\}/g;

/** The names that a template asks for, in order, each as often as it is there. */
export function placeholdersOf(template: string): string[] {
  return [...template.matchAll(placeholder)].map(([, name = ""]) => name.trim());
}

/** Puts values into a template. What they hold is never read as a placeholder again. */
export function fillTemplate(template: string, valueOf: (name: string) => string): string {
  return template.replaceAll(placeholder, (_, name: string) => valueOf(name.trim()));
}
