"use strict";
// Shows what the server draws and tells it what a person does; nothing of the program runs here.

const $ = (id) => document.getElementById(id);
const canvas = $("view"), keys = $("keys"), notice = $("notice"), ask = $("ask");
const paper = canvas.getContext("2d", { alpha: false });
const HEADER_BYTES = 16, LONGEST_WAIT = 5000, NOTCH_PIXELS = 100, NOTCH_LINES = 3;

// The address bar, the history and a screenshot shall not give the token away.
if (location.search) history.replaceState(null, "", "/");

let socket = null, steers = false, closed = false, wait = 250, question = 0;
const send = (message) => { if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
const steer = (message) => { if (steers) send(message); };

function say(text, button, act) {
  notice.replaceChildren(text || "");
  notice.hidden = !text;
  if (!button) return;
  const made = document.createElement("button");
  made.textContent = button;
  made.onclick = act;
  notice.append(made);
}

// --- the line to the server -----------------------------------------------------------------------------------------

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/stream`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { wait = 250; say(); send({ kind: "visible", on: !document.hidden }); };
  socket.onmessage = (event) => (typeof event.data === "string" ? hear(JSON.parse(event.data)) : receive(event.data));
  socket.onclose = () => {
    steers = false;
    if (closed) return;
    say("The program does not answer. Trying again…");
    setTimeout(connect, wait);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
}

function hear(said) {
  switch (said.kind) {
    case "hello":
      steers = said.steers;
      document.title = said.title;
      if (steers) { say(); tellSize(); } else say("You are watching: another tab steers.", "Take over", () => send({ kind: "steer" }));
      break;
    case "cursor": canvas.style.cursor = said.name; break;
    case "copied": navigator.clipboard?.writeText(said.text).catch(() => {}); break;
    case "ask": pose(said); break;
    case "download": download(said); break;
    case "closed": closed = true; say("The program has ended."); break;
  }
}

// --- pictures -------------------------------------------------------------------------------------------------------

let decoding = Promise.resolve(), parts = [];

function receive(buffer) {
  const head = new DataView(buffer);
  const number = head.getUint32(0, true);
  const [x, y, , , width, height] = [4, 6, 8, 10, 12, 14].map((at) => head.getUint16(at, true));
  const image = createImageBitmap(new Blob([new Uint8Array(buffer, HEADER_BYTES)]));
  decoding = decoding.then(async () => {
    parts.push([await image, x, y]);
    if (!number) return;  // more of this frame is on its way
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    for (const [part, left, top] of parts) { paper.drawImage(part, left, top); part.close(); }
    parts = [];
    canvas.dataset.frame = number;
    send({ kind: "seen", number });
  }).catch(() => { parts = []; socket.close(); });  // a picture that does not decode: begin again with a whole one
}

// --- size -----------------------------------------------------------------------------------------------------------

let resizing = 0;
function tellSize() {
  const ratio = Math.min(Math.max(window.devicePixelRatio || 1, 0.5), 4);
  const side = (length) => Math.min(Math.max(Math.round(length * ratio), 64), 4096);
  steer({ kind: "size", width: side(innerWidth), height: side(innerHeight), ratio });
}
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(tellSize, 60); });
document.addEventListener("visibilitychange", () => send({ kind: "visible", on: !document.hidden }));

// --- pointer --------------------------------------------------------------------------------------------------------

let moved = null;
function tellMove() {
  if (!moved) return;
  const box = canvas.getBoundingClientRect();
  const place = (at, from, length, pixels) => (at - from) * pixels / length;
  steer({ kind: "move", x: place(moved.clientX, box.left, box.width, canvas.width), y: place(moved.clientY, box.top, box.height, canvas.height) });
  moved = null;
}
canvas.addEventListener("pointermove", (event) => {
  if (!moved) requestAnimationFrame(tellMove);  // a mouse reports more often than a screen shows
  moved = event;
});
function tellButton(event, down) {
  moved = event;
  tellMove();
  steer({ kind: "button", button: [0, 2, 1][event.button] ?? 0, down });
}
canvas.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  keys.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);  // a drag goes on outside the page
  tellButton(event, true);
});
canvas.addEventListener("pointerup", (event) => tellButton(event, false));
canvas.addEventListener("pointercancel", (event) => tellButton(event, false));
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const notch = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? NOTCH_PIXELS : NOTCH_LINES;
  moved = event;
  tellMove();
  steer({ kind: "wheel", x: -event.deltaX / notch, y: -event.deltaY / notch });
}, { passive: false });

// --- keyboard -------------------------------------------------------------------------------------------------------

const NAMES = { Enter: "enter", NumpadEnter: "enter", Escape: "escape", Space: "space", Tab: "tab", Backspace: "backspace",
  Delete: "delete", Insert: "insert", Home: "home", End: "end", PageUp: "page_up", PageDown: "page_down", ArrowLeft: "left",
  ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Comma: "comma", Period: "period", BracketLeft: "left_bracket",
  BracketRight: "right_bracket", ControlLeft: "ctrl", ControlRight: "ctrl", ShiftLeft: "shift", ShiftRight: "shift",
  AltLeft: "alt", AltRight: "alt", MetaLeft: "super", MetaRight: "super" };
const held = new Set();

function keyName(event) {
  if (/^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();  // by what the layout writes there
  if (/^Key[A-Z]$/.test(event.code)) return event.code[3].toLowerCase();
  if (/^(Digit|Numpad)[0-9]$/.test(event.code)) return event.code.slice(-1);
  if (/^F([1-9]|1[0-2])$/.test(event.key)) return event.key.toLowerCase();
  return NAMES[event.code];
}
function tellKey(event, down) {
  const name = keyName(event), shortcut = event.ctrlKey || event.metaKey;
  if (ask.open || !name || (shortcut && name === "v")) return;  // the browser pastes, see below
  const browsers = name === "f5" || name === "f11" || name === "f12" || (shortcut && "rtwln".includes(name)) || (shortcut && event.shiftKey && name === "i");
  if (browsers) return;
  // Letters go on to the text field, which knows dead keys and input methods.
  if (shortcut || (name.length > 1 && name !== "space")) event.preventDefault();
  if (event.repeat) return;
  (down ? held.add(name) : held.delete(name));
  steer({ kind: "key", key: name, down });
}
addEventListener("keydown", (event) => tellKey(event, true));
addEventListener("keyup", (event) => tellKey(event, false));
addEventListener("blur", () => { for (const key of held) steer({ kind: "key", key, down: false }); held.clear(); });

let composing = false;
function tellText() {
  if (!composing && keys.value) { steer({ kind: "text", text: keys.value.replaceAll("\n", "") }); keys.value = ""; }
}
keys.addEventListener("compositionstart", () => { composing = true; });
keys.addEventListener("compositionend", () => { composing = false; tellText(); });
keys.addEventListener("input", tellText);
addEventListener("paste", (event) => {
  if (ask.open) return;
  event.preventDefault();
  steer({ kind: "paste", text: event.clipboardData.getData("text") });
});

// --- files ----------------------------------------------------------------------------------------------------------

function upload(file, query, tell) {
  const request = new XMLHttpRequest();
  request.open("POST", `/upload?name=${encodeURIComponent(file.name)}${query}`);
  request.upload.onprogress = (event) => tell(`${file.name}: ${Math.round(100 * event.loaded / event.total)} %`);
  request.onload = () => tell(request.status === 200 ? "" : `${file.name}: ${request.responseText.trim()}`);
  request.onerror = () => tell(`${file.name}: it did not arrive, or it is too large`);
  request.send(file);
}
function pose(said) {
  question = said.id;
  if (!question) { if (ask.open) ask.close(); return; }
  if (!steers) return;
  $("title").textContent = said.title;
  $("open").hidden = said.save; $("open").style.display = said.save ? "none" : "";
  $("save").style.display = $("accept").style.display = said.save ? "" : "none";
  $("file").value = ""; $("file").accept = said.accept; $("name").value = said.name; $("progress").textContent = "";
  if (!ask.open) ask.showModal();
  if (said.save) $("name").select();
}
const give = (file) => upload(file, `&for=${question}`, (text) => { $("progress").textContent = text; });
const answer = (name) => send({ kind: "answer", id: question, name });
$("file").onchange = () => { if ($("file").files.length) give($("file").files[0]); };
$("cancel").onclick = () => answer("");
$("accept").onclick = () => { if ($("name").value) answer($("name").value); };
$("name").onkeydown = (event) => { if (event.key === "Enter") { event.preventDefault(); $("accept").click(); } };
ask.oncancel = (event) => { event.preventDefault(); answer(""); };

function download(said) {
  const link = document.createElement("a");
  link.href = `/download/${said.id}`;
  link.download = said.name;
  link.click();
}
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (ask.open) { if (files.length && !$("open").hidden) give(files[0]); return; }
  if (steers) for (const file of files) upload(file, "", say);
});

connect();
keys.focus({ preventScroll: true });
