// What a program that waits would have the arm do first: a dry plan's candidates over the cameras.

import { element, number, say, show } from "./elements.js";
import { cameras } from "./cameras.js";
import { sections } from "./link.js";

/** The colours of rewards, lowest first, as those of `tiller reward show`. */
const SCALE = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

const empty = element("p", { class: "empty" });
const problem = element("pre", { class: "diagnostic", id: "dry-problem" });
const views = cameras((name) => isSeen(name), drawDry);
const caption = element("p", { class: "muted", id: "dry-caption" });
const scale = element(
  "p",
  { class: "scale muted" },
  "reward low ",
  element("span", { class: "scale-bar" }),
  " high; the thick line would be executed",
);
const whole = element("div", { id: "dry" }, views, scale, caption);

/** The part of the panel. */
export function dryPlan() {
  return [empty, problem, whole];
}

/** Whether a camera sees the way of what would be executed. */
function isSeen(name) {
  return (sections.dry?.cameras[name]?.chosen.length ?? 0) > 1;
}

function drawDry(context, name) {
  const drawn = sections.dry?.cameras[name];
  if (!drawn) return;
  const [sx, sy] = [context.canvas.width / drawn.size[0], context.canvas.height / drawn.size[1]];
  const path = (points) => {
    context.beginPath();
    points.forEach(([x, y], index) => context[index === 0 ? "moveTo" : "lineTo"](x * sx, y * sy));
    context.stroke();
  };
  context.lineJoin = "round";
  context.setLineDash([]);
  const edged = (points, width, colour) => {
    context.lineWidth = width + 1.5;
    context.strokeStyle = "#0007";
    path(points);
    context.lineWidth = width;
    context.strokeStyle = colour;
    path(points);
  };
  for (const [share, points] of drawn.paths) edged(points, 2.5, colourOf(share));
  context.lineWidth = 9;
  context.strokeStyle = "#000";
  path(drawn.chosen);
  const best = drawn.paths.reduce((most, [share]) => Math.max(most, share ?? 0), 0);
  context.lineWidth = 5;
  context.strokeStyle = drawn.paths.some(([share]) => share !== null) ? colourOf(best) : "#fff";
  path(drawn.chosen);
  const end = drawn.chosen[drawn.chosen.length - 1];
  if (!end) return;
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  context.beginPath();
  context.arc(end[0] * sx, end[1] * sy, 6, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}

/** The colour of a reward's share of the range; grey where there is none. */
function colourOf(share) {
  if (share === null) return "#bbb";
  const at = share * (SCALE.length - 1);
  const below = Math.min(Math.floor(at), SCALE.length - 2);
  const mixed = SCALE[below].map((low, i) => Math.round(low + (at - below) * (SCALE[below + 1][i] - low)));
  return `rgb(${mixed.join(" ")})`;
}

/** Shows what is new. */
export function updateDryPlan({ dry, proposal }) {
  const isWaiting = proposal?.state === "proposed";
  show(empty, !dry);
  say(empty, isWaiting ? "It is planned once the arm rests and the scene is seen" : "Planned for a program that waits for your word");
  show(problem, Boolean(dry?.problem));
  say(problem, dry?.problem ?? "");
  const isThere = Boolean(dry) && !dry.problem;
  show(whole, isThere);
  if (!isThere) return;
  const names = Object.keys(dry.cameras).filter(isSeen);
  show(views, names.length > 0);
  show(scale, names.length > 0 && dry.rewards !== null);
  const range = dry.rewards ? `, rewards ${number(dry.rewards[0], 3)} to ${number(dry.rewards[1], 3)}` : "";
  const where = names.length > 0 ? "" : " No camera that says where it stands sees them.";
  say(caption, `${dry.particles} candidates for stage ${dry.stage}${range}. Planned dry: nothing moves.${where}`);
}
