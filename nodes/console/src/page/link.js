// The connection: sections and pictures come by a WebSocket, requests go by POST.

const LONGEST_WAIT_MS = 3000;
const SILENT_AFTER_MS = 2000;

/** What is known of the run, by section. */
export const sections = {};

/** `connecting`, `connected`, `lost` or `locked` (a token is needed). */
export let state = "connecting";

const onChange = [];
const onPicture = [];
let socket = null;
let wait = 250;
let heard = 0;

/** Calls back after sections or the connection have changed. */
export function watch(callback) {
  onChange.push(callback);
}

/** Calls back with a camera's name and its newest picture. */
export function watchPictures(callback) {
  onPicture.push(callback);
}

function tell() {
  for (const callback of onChange) callback(sections, state);
}

function become(next) {
  if (state === next) return;
  state = next;
  tell();
}

/** Connects, and goes on connecting. */
export async function connect() {
  try {
    const admitted = await fetch("/session");
    if (admitted.status === 401) {
      become("locked");
      return;
    }
  } catch {
    again();
    return;
  }
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (message) => {
    heard = performance.now();
    if (typeof message.data === "string") {
      wait = 250;
      // Other sections than before may stand for another run.
      Object.assign(sections, JSON.parse(message.data));
      state = "connected";
      tell();
    } else {
      picture(message.data);
    }
  };
  socket.onclose = again;
}

function again() {
  socket = null;
  become("lost");
  setTimeout(connect, wait);
  wait = Math.min(2 * wait, LONGEST_WAIT_MS);
}

async function picture(buffer) {
  const length = new Uint8Array(buffer, 0, 1)[0];
  const name = new TextDecoder().decode(new Uint8Array(buffer, 1, length));
  try {
    const jpeg = new Blob([new Uint8Array(buffer, 1 + length)], { type: "image/jpeg" });
    const bitmap = await createImageBitmap(jpeg);
    for (const callback of onPicture) callback(name, bitmap);
  } finally {
    // The server holds the next ones back until these are drawn.
    if (socket?.readyState === WebSocket.OPEN) socket.send("drawn");
  }
}

// A server that hangs closes nothing.
setInterval(() => {
  if (state === "connected" && performance.now() - heard > SILENT_AFTER_MS) become("silent");
  else if (state === "silent" && performance.now() - heard < SILENT_AFTER_MS) become("connected");
}, 250);

/** Asks for something; gives the answer, or throws what is wrong. */
export async function ask(what) {
  let response;
  try {
    response = await fetch("/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(what),
    });
  } catch {
    throw new Error("not sent: there is no connection");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `refused (${response.status})`);
  return answer;
}

/** Opens a session with a token. */
export async function open(token) {
  const response = await fetch("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (response.ok) connect();
  return response.ok;
}
