// Elements are made here and nowhere else: text is always text, never markup.

/** Makes an element. Attributes: functions are listeners, true is empty, false and null are left out. */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat(2).filter((child) => child != null && child !== false && child !== ""));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  check: "M4 12.5 9.5 18 20 6.5",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  close: "M6 6l12 12M18 6L6 18",
  note: "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19zM14 6.5l3.5 3.5",
  play: "M7 5v14l12-7z",
  back: "M18 6l-8 6 8 6zM6 6v12",
  forth: "M6 6l8 6-8 6zM18 6v12",
  minus: "M6 12h12",
  plus: "M6 12h12M12 6v12",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  sound: "M4 9.5v5h3.5L12 18V6L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
};

/** A line drawing; it says nothing, its button does. */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A number with its noun. */
function counted(number, noun, plural = `${noun}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : plural}`;
}

let quiet = 0;

/** Tells everybody, also those who listen instead of looking. */
function announce(text, milliseconds = 2400) {
  const place = document.getElementById("said");
  (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(place);
  place.textContent = text;
  place.classList.add("seen");
  clearTimeout(quiet);
  quiet = setTimeout(() => place.classList.remove("seen"), milliseconds);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  announce(`${what} copied`);
}

/** For browsers that give the clipboard to no page from a file. */
function copyBySelection(text) {
  const area = el("textarea", { class: "unseen", readonly: true, "aria-hidden": "true" });
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function copyButton(text, what) {
  return el("button", { class: "copy", type: "button", "aria-label": `Copy ${what}`,
    click: () => copy(text, what[0].toUpperCase() + what.slice(1)) }, "Copy");
}

/** What a page from a file may keep; without it everything works but is forgotten. */
const memory = {
  keyOf: (key) => `veogen:${key}`,
  read(key) {
    try {
      return localStorage.getItem(memory.keyOf(key));
    } catch {
      return null;
    }
  },
  write(key, value) {
    try {
      localStorage.setItem(memory.keyOf(key), value);
    } catch {
      // kept by nobody
    }
  },
};
