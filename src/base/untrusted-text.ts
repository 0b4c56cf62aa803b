/** Control characters, and those that are invisible or turn the direction of writing. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The same text with a mark for each of them; ends of lines and tabs stay. */
export function replaceUnsafe(text: string): string {
  return text.replaceAll(unsafe, (character) => (/[\t\n]/.test(character) ? character : "\ufffd"));
}

/** Words out of a file that anybody may have written, on one line and not too long. */
export function safeWord(text: string, longest = 80): string {
  const shown = text.replaceAll(unsafe, "\ufffd");
  return shown.length > longest ? `${shown.slice(0, longest - 1)}…` : shown;
}

/** The same as a quoted text in which every unsafe character can be told: `"a\u001b[2J"`. */
export function quoteUntrusted(text: string, longest = 80): string {
  const quoted = JSON.stringify(text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
  return quoted.replaceAll(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
