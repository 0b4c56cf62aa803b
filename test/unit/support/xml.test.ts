import { expect, it } from "vitest";
import { xmlComplaint } from "../../support/xml.ts";

it.each(["<a/>", '<a b="1" c-d="&lt;"><e>text &amp; more</e>\n<e/></a>\n', "<a>\n</a>"])("accepts %j", (xml) => {
  expect(xmlComplaint(xml)).toBeUndefined();
});

it.each([
  ["<a>", "<a> is not closed"],
  ["<a><b></a></b>", "closes nothing"],
  ["<a></b>", "closes nothing"],
  ["<a/><b/>", "2 elements at the top"],
  ["", "0 elements at the top"],
  ["<a>x & y</a>", "an & that begins no entity"],
  ['<a b="x &nbsp; y"/>', "an & that begins no entity"],
  ["<a b=1/>", "no markup"],
  ['<a b="<"/>', "no markup"],
  ["<a>1 < 2</a>", "no markup"],
  ['<a b="1" b="2"/>', "an attribute twice"],
  ["<a/>text", "text outside"],
])("complains of %j: %s", (xml, complaint) => {
  expect(xmlComplaint(xml)).toContain(complaint);
});
