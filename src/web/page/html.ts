import { replaceUnsafe } from "../../base/untrusted-text.ts";

/** HTML that may stand in a page as it is: nothing but the tag below makes it. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** The values between the literal parts are data, and stay data. */
  static fill(parts: TemplateStringsArray, values: readonly HtmlValue[]): Html {
    let text = parts[0] ?? "";
    for (const [index, value] of values.entries()) text += show(value) + (parts[index + 1] ?? "");
    return new Html(text);
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/**
 * The only place where text becomes HTML. A value is escaped so that it is safe between tags and inside quoted
 * attributes (every attribute of this folder is quoted); a list is joined; null, undefined and false are nothing.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.fill(parts, values);
}

export const nothing: Html = html``;

function show(value: HtmlValue): string {
  if (value instanceof Html) return value.toString();
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "number") return String(value);
  return value.map(show).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

function escapeText(text: string): string {
  // Most texts are words and numbers, and there are tens of thousands of them in a page.
  if (/^[\w ./:,;()+-]*$/.test(text)) return text;
  return replaceUnsafe(text).replaceAll(/[&<>"'`]/g, (character) => entities[character] ?? "");
}

/** One part of a path or query. A lone surrogate, which a file name can hold, would make it throw. */
export function urlPart(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\ufffd"));
}
