// Elements made of text: nothing that anybody wrote is ever read as markup.

/** An element with attributes, `text` among them, and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button with its key. */
export function button(text, key, onclick, attributes = {}) {
  const made = element("button", { type: "button", onclick, ...attributes });
  made.append(text + " ");
  if (key) made.append(element("kbd", { text: key }));
  return made;
}

/** A box with a heading. */
export function box(heading, attributes, ...children) {
  return element("article", attributes, element("h2", { text: heading }), ...children);
}

/** Sets a text only where it is another, so that what is selected stays so. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows or hides. */
export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

/** Replaces the children only where what they are made of has changed. */
export function renew(node, made, make) {
  const key = JSON.stringify(made);
  if (node.renewedFor === key) return;
  node.renewedFor = key;
  node.replaceChildren(...make(made));
}

/** A number for people. */
export function number(value, digits = 2) {
  return value === null || value === undefined ? "–" : value.toFixed(digits);
}

/** Milliseconds for people. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60000)} min`;
}

/** A colour of the theme, for canvases. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
