/**
 * Elements out of plain data. Every text becomes a text node, so nothing a server says is ever markup; characters that a
 * reader would obey without seeing them are shown instead (controls, direction overrides, zero-width, tags).
 */
const svgTags = new Set(["svg", "rect", "path", "line", "g", "polyline", "circle"]);
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0]|[\u{e0000}-\u{e01ef}]/gu;

/** The text with hidden characters written as `\u202e`. */
export function visible(text) {
  return String(text).replace(hidden, (found) => `\\u${found.codePointAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * An element. `null`, `undefined` and `false` among attributes and children are left out; `true` is an empty attribute.
 * Events are not bound here: see `data-action` in app.js.
 */
export function h(tag, attributes = {}, ...children) {
  const element = svgTags.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    element.setAttribute(name, value === true ? "" : visible(value));
  }
  for (const child of children.flat(3)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(visible(child)));
  }
  return element;
}

/** Makes the children of `parent` what `next` holds, keeping the elements that can be kept: focus, scroll and input stay. */
export function show(parent, ...next) {
  const wanted = document.createDocumentFragment();
  wanted.append(...next.flat(3).filter((node) => node instanceof Node));
  syncChildren(parent, wanted);
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function isAlike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

function syncChildren(parent, wanted) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (keyOf(child) !== null) keyed.set(keyOf(child), child);
  let at = parent.firstChild;
  for (const next of [...wanted.childNodes]) {
    const known = keyed.get(keyOf(next));
    if (known !== undefined && isAlike(known, next)) {
      if (known === at) at = at.nextSibling;
      else parent.insertBefore(known, at);
      sync(known, next);
    } else if (at !== null && isAlike(at, next)) {
      const kept = at;
      at = at.nextSibling;
      sync(kept, next);
    } else parent.insertBefore(next, at);
  }
  while (at !== null) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function sync(kept, next) {
  if (kept.nodeType === Node.TEXT_NODE) {
    if (kept.data !== next.data) kept.data = next.data;
    return;
  }
  // What a person typed or opened is theirs.
  const isOwn = (name) => name === "open" && kept.nodeName === "DETAILS";
  for (const { name } of [...kept.attributes]) if (!next.hasAttribute(name) && !isOwn(name)) kept.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (!isOwn(name) && kept.getAttribute(name) !== value) kept.setAttribute(name, value);
  if (kept.hasAttribute("data-keep")) return;
  syncChildren(kept, next);
}
