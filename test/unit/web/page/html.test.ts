import { describe, expect, it } from "vitest";
import { html, nothing, urlPart } from "../../../../src/web/page/html.ts";

describe("html", () => {
  it.each([
    ["a tag", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["the end of an attribute", `" onmouseover="x`, "&quot; onmouseover=&quot;x"],
    ["the end of a single-quoted attribute", "' x='", "&#39; x=&#39;"],
    ["an entity", "&lt;", "&amp;lt;"],
    ["a backtick, which an old browser takes for a quote", "`", "&#96;"],
    ["characters that turn the direction of writing", "a\u202egpj.exe", "a\ufffdgpj.exe"],
    ["escape sequences of a terminal", "\u001b[31mred", "\ufffd[31mred"],
    ["a null character", "a\0b", "a\ufffdb"],
    ["lines and tabs, which stay", "a\n\tb", "a\n\tb"],
  ])("makes harmless: %s", (_what, text, shown) => {
    expect(html`<p title="${text}">${text}</p>`.toString()).toBe(`<p title="${shown}">${shown}</p>`);
  });

  it("takes over what is HTML already, once", () => {
    const inner = html`<b>${"<i>"}</b>`;
    expect(html`<p>${inner}${[inner, "&"]}</p>`.toString()).toBe("<p><b>&lt;i&gt;</b><b>&lt;i&gt;</b>&amp;</p>");
  });

  it("shows nothing for what is not there, and a zero for a zero", () => {
    expect(html`${null}${undefined}${false}${nothing}${[]}${0}`.toString()).toBe("0");
  });

  it("does not take an object that only looks like HTML", () => {
    const lookalike = { toString: () => "<script>" };
    expect(() => html`${lookalike as never}`.toString()).toThrow("value.map is not a function");
  });
});

describe("a part of an address", () => {
  it.each([
    ["a/b?c#d", "a%2Fb%3Fc%23d"],
    ["\ud800", "%EF%BF%BD"],
  ])("holds nothing that ends it: %j", (text, part) => {
    expect(urlPart(text)).toBe(part);
  });
});
