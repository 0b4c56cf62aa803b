/**
 * Makes the children of `current` those of `next`, changing only what differs: elements that stay keep their focus,
 * their selection and how far they are scrolled. Elements with an id are recognised by it.
 *
 * `data-keep`: an empty new element with the same value says that the old content still counts. `data-pinned`: the
 * element is never taken away. Returns false when a content was left out that the old page does not have either.
 */
export function morphChildren(current: Element, next: Element): boolean {
  let complete = true;
  const wanted = new Set([...next.children].map(({ id }) => id).filter((id) => id !== ""));
  let at: ChildNode | null = current.firstChild;
  for (const node of [...next.childNodes]) {
    at = skipUnwanted(at, wanted, node);
    const match = findMatch(at, node);
    if (match === undefined) {
      current.insertBefore(node, at);
      if (node instanceof Element && markMissing(node)) complete = false;
      continue;
    }
    if (match === at) at = match.nextSibling;
    else current.insertBefore(match, at);
    complete = morphNode(match, node) && complete;
  }
  while (at !== null) {
    const following: ChildNode | null = at.nextSibling;
    if (!isPinned(at)) at.remove();
    at = following;
  }
  return complete;
}

/** An element that has an id, and is not in the new page, would be taken for the next one of its kind. */
function skipUnwanted(from: ChildNode | null, wanted: ReadonlySet<string>, node: Node): ChildNode | null {
  let at = from;
  while (at instanceof Element && !isPinned(at) && at.id !== "" && !wanted.has(at.id) && node instanceof Element) {
    const following: ChildNode | null = at.nextSibling;
    at.remove();
    at = following;
  }
  return at;
}

function findMatch(at: ChildNode | null, node: Node): ChildNode | undefined {
  if (!(node instanceof Element)) return at !== null && at.nodeType === node.nodeType ? at : undefined;
  for (let candidate = at; candidate !== null; candidate = candidate.nextSibling) {
    if (!(candidate instanceof Element)) continue;
    if (candidate.tagName === node.tagName && candidate.id === node.id && pinOf(candidate) === pinOf(node))
      return candidate;
    // Without an id only the very next element can be meant.
    if (node.id === "" && !isPinned(candidate)) return undefined;
  }
  return undefined;
}

function morphNode(current: ChildNode, next: Node): boolean {
  if (!(current instanceof Element) || !(next instanceof Element)) {
    if (current.nodeValue !== next.nodeValue) current.nodeValue = next.nodeValue;
    return true;
  }
  const kept = next.getAttribute("data-keep");
  if (kept !== null && kept === current.getAttribute("data-keep")) return true;
  if (isEmptyKeep(next)) return false;
  morphAttributes(current, next);
  return morphChildren(current, next);
}

function isEmptyKeep(node: Element): boolean {
  return node.hasAttribute("data-keep") && node.childElementCount === 0;
}

/** Whether contents are missing in something new; they are marked, so that the next page is not taken for the same. */
function markMissing(node: Element): boolean {
  const missing = [node, ...node.querySelectorAll("[data-keep]")].filter(isEmptyKeep);
  for (const element of missing) element.setAttribute("data-keep", "");
  return missing.length > 0;
}

/** What the reader has opened stays open, and a filled-in field keeps what it holds. */
function morphAttributes(current: Element, next: Element): void {
  for (const { name } of [...current.attributes]) {
    if (!next.hasAttribute(name) && !belongsToReader(current, name)) current.removeAttribute(name);
  }
  for (const { name, value } of [...next.attributes]) {
    if (!belongsToReader(current, name) && current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
}

function belongsToReader(element: Element, name: string): boolean {
  return (element instanceof HTMLDetailsElement && name === "open") || name === "aria-disabled";
}

function pinOf(element: Element): string | null {
  return element.hasAttribute("data-pinned") ? element.getAttribute("data-keep") : null;
}

function isPinned(node: ChildNode): boolean {
  return node instanceof Element && node.hasAttribute("data-pinned");
}
