const name = String.raw`[A-Za-z_][\w.-]*`;
const attribute = new RegExp(String.raw`\s+(${name})="([^"<]*)"`, "gy");
const token = new RegExp(String.raw`<(/?)(${name})((?:\s+${name}="[^"<]*")*)\s*(/?)>|([^<]+)`, "gy");

/**
 * What keeps a text from being well-formed XML, or undefined. It knows elements, attributes in double quotes, text and
 * the five entities every parser knows; comments, CDATA and declarations are complaints here.
 */
export function xmlComplaint(xml: string): string | undefined {
  const open: string[] = [];
  let roots = 0;
  let position = 0;
  for (token.lastIndex = 0; position < xml.length; position = token.lastIndex) {
    const found = token.exec(xml);
    if (found === null) return `no markup at ${position}: ${xml.slice(position, position + 40)}`;
    const [, closing, element = "", attributes = "", selfClosing, text] = found;
    const wrong = text === undefined ? attributeComplaint(attributes) : textComplaint(text, open.length);
    if (wrong !== undefined) return `${wrong} at ${position}`;
    if (text !== undefined) continue;
    if (closing === "/") {
      if (open.pop() !== element) return `</${element}> at ${position} closes nothing`;
      continue;
    }
    if (open.length === 0) roots += 1;
    if (selfClosing !== "/") open.push(element);
  }
  if (open.length > 0) return `<${open.join("> <")}> is not closed`;
  return roots === 1 ? undefined : `${roots} elements at the top`;
}

function attributeComplaint(attributes: string): string | undefined {
  const names = [...attributes.matchAll(attribute)].map(([, key, value = ""]) => ({ key, value }));
  if (new Set(names.map(({ key }) => key)).size < names.length) return "an attribute twice";
  return names.map(({ value }) => entityComplaint(value)).find((wrong) => wrong !== undefined);
}

function textComplaint(text: string, depth: number): string | undefined {
  return depth === 0 && text.trim() !== "" ? "text outside of all elements" : entityComplaint(text);
}

function entityComplaint(text: string): string | undefined {
  return /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/.test(text) ? "an & that begins no entity" : undefined;
}
