// Cameras with what is drawn over them: keypoints, candidates, the chosen chunk.

import { colour, element } from "./elements.js";
import { sections, watch, watchPictures } from "./link.js";

const newest = new Map();
const views = [];
const onPicture = [];

/** Whether a picture is that of a camera, as it sees things now. */
export function isCamera(name) {
  return name !== "annotated_image" && !name.startsWith("reward ");
}

/** Canvases for all cameras, or for those that `isWanted` names; `drawMore` draws over them. */
export function cameras(isWanted, drawMore = null) {
  const root = element("div", { class: "cameras" });
  const empty = element("p", { class: "empty", text: "No picture yet" });
  root.append(empty);
  views.push({ root, empty, isWanted, drawMore, canvases: new Map() });
  return root;
}

watchPictures((name, bitmap) => {
  newest.get(name)?.close();
  newest.set(name, bitmap);
  for (const view of views) draw(view, name);
  for (const callback of onPicture) callback(name);
});

/** Calls back with the name of a picture that has come. */
export function watchNames(callback) {
  onPicture.push(callback);
}

/** Draws the newest picture of a name; gives whether there is one. */
export function paint(canvas, name) {
  const bitmap = newest.get(name);
  if (!bitmap) return false;
  fit(canvas, bitmap).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return true;
}

/** Lets go of pictures that are shown no longer. */
export function forget(isOld) {
  for (const name of [...newest.keys()].filter(isOld)) {
    newest.get(name).close();
    newest.delete(name);
  }
}

/** Makes room for a picture: sharp lines over small ones, so at least 640 pixels across. */
function fit(canvas, bitmap) {
  const scale = Math.max(1, Math.ceil(640 / bitmap.width));
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = true;
  return context;
}

watch(() => {
  for (const view of views) for (const name of view.canvases.keys()) draw(view, name);
});

function draw(view, name) {
  const bitmap = newest.get(name);
  let canvas = view.canvases.get(name);
  if (!bitmap || !view.isWanted(name)) {
    if (canvas) canvas.parentElement.hidden = true;
    return;
  }
  if (!canvas) {
    canvas = element("canvas", { role: "img", "aria-label": `camera ${name}` });
    const caption = element("figcaption", { text: name.replaceAll("_", " ") });
    const figure = element("figure", { "data-name": name }, canvas, caption);
    // In the same order, whoever comes first.
    const later = [...view.root.querySelectorAll("figure")].find((other) => other.dataset.name > name);
    view.root.insertBefore(figure, later ?? null);
    view.canvases.set(name, canvas);
    view.empty.hidden = true;
  }
  canvas.parentElement.hidden = false;
  if (view.root.offsetParent === null) return;
  const context = fit(canvas, bitmap);
  const { width, height } = canvas;
  context.drawImage(bitmap, 0, 0, width, height);
  view.drawMore?.(context, name);
}

/** Draws keypoints, candidates and the chosen chunk over a camera's picture. */
export function drawOver(context, name) {
  const over = sections.overlay?.[name];
  if (!over) return;
  const [sx, sy] = [context.canvas.width / over.size[0], context.canvas.height / over.size[1]];
  const path = (points) => {
    context.beginPath();
    points.forEach(([x, y], index) => {
      if (index === 0) context.moveTo(x * sx, y * sy);
      else context.lineTo(x * sx, y * sy);
    });
    context.stroke();
  };
  context.lineJoin = "round";
  context.setLineDash([]);
  context.lineWidth = 1.5;
  context.strokeStyle = colour("--candidate");
  over.candidates.forEach(path);
  // Light on dark, so that it is seen on whatever is behind it.
  context.lineWidth = 7;
  context.strokeStyle = "#000";
  path(over.chosen);
  context.lineWidth = 4;
  context.strokeStyle = colour("--chosen");
  path(over.chosen);
  context.font = "600 15px system-ui, sans-serif";
  for (const [x, y, index, , isVisible] of over.keypoints) {
    const [px, py] = [x * sx, y * sy];
    context.lineWidth = 2;
    context.strokeStyle = "#000";
    context.fillStyle = colour(isVisible ? "--keypoint" : "--hidden-keypoint");
    context.beginPath();
    // What is not seen is square, for whoever sees no colours.
    if (isVisible) context.arc(px, py, 6, 0, 2 * Math.PI);
    else context.rect(px - 5, py - 5, 10, 10);
    context.fill();
    context.stroke();
    context.lineWidth = 3;
    context.strokeText(String(index), px + 9, py + 5);
    context.fillStyle = "#fff";
    context.fillText(String(index), px + 9, py + 5);
  }
}
