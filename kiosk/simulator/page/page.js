"use strict";
/* The demo's page: shows what the server-sent events say, and sends presses, touches and switches. It decides nothing. */

const COLOURS = {
  blue: "#0e62a8", green: "#188058", red: "#c83044", purple: "#7c54be", orange: "#b45802", slate: "#485872",
  teal: "#0a7a84", pink: "#ba3680",
};
const FACES = { // happy is blue, neutral amber, unhappy red; each with a mouth of its own
  happy: ["#0e62a8", "M10 18c2 4 10 4 12 0"], neutral: ["#b45802", "M10 20h12"], unhappy: ["#c83044", "M10 21.5c2-4 10-4 12 0"],
};
const PRINTER = {
  ok: ["ok", "Sẵn sàng", "ready"], paper_low: ["warn", "Sắp hết giấy", "paper low"],
  paper_out: ["error", "Hết giấy", "out of paper"], cover_open: ["error", "Nắp đang mở", "cover open"],
  offline: ["error", "Không trả lời", "offline"], unknown: ["", "Chưa rõ", "unknown"],
};
const STATES = { called: ["đang gọi", "called"], serving: ["đang phục vụ", "serving"] };
const FAULTS = {
  paper_out: ["Hết giấy", "paper out"], paper_low: ["Sắp hết giấy", "paper low"], cover_open: ["Mở nắp", "cover open"],
  unplugged: ["Rút dây", "unplugged"], mute: ["Máy in câm", "never answers"],
  stall: ["Máy in đứng", "reads nothing"], slow: ["Máy in chậm", "slow line"], network: ["Đứt mạng", "network cut"],
  clock: ["Sai đồng hồ", "clock wrong"], power: ["Mất điện", "power cut"],
};
const RATES = [0, 40, 150, 600], SPEEDS = [1, 10, 60];
const DAYS = ["Chủ nhật", "Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy"];

const $ = (id) => document.getElementById(id);
const state = { frames: {}, figures: {}, lamps: {}, armed: {}, desks: {}, queues: {}, slips: [], calls: [], faults: [] };
let office = null;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

async function order(command) {
  try {
    const answer = await fetch("/do", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(command),
    });
    return answer.ok;
  } catch {
    return false;
  }
}

/* --- keys: held down as long as the finger, or the letter, is --- */

const held = new Set();

function hold(action, down) {
  if (down === held.has(action)) return;
  down ? held.add(action) : held.delete(action);
  for (const node of document.querySelectorAll(`[data-action="${action}"]`)) node.classList.toggle("down", down);
  order({ do: down ? "down" : "up", action });
}

function key(action, attributes, ...children) {
  const node = make("button", { type: "button", "data-action": action, ...attributes }, ...children);
  if (!office.keys.includes(action)) node.disabled = true;
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || node.disabled) return;
    node.setPointerCapture(event.pointerId);
    hold(action, true);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) node.addEventListener(name, () => hold(action, false));
  // Enter on a focused key; a mouse press has had its pointer events.
  node.addEventListener("click", (event) => event.detail === 0 && order({ do: "tap", action }));
  return node;
}

function letterOf(action) {
  const letter = office.letters[action];
  return letter ? make("kbd", {}, letter === "escape" ? "Esc" : letter.toUpperCase()) : "";
}

function onLetters() {
  const actions = Object.fromEntries(Object.entries(office.letters).map(([action, letter]) => [letter, action]));
  const find = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && actions[event.key.toLowerCase()];
  addEventListener("keydown", (event) => {
    if ($("large").open || event.repeat) return;
    const action = find(event);
    if (action) hold(action, true);
  });
  addEventListener("keyup", (event) => {
    const action = find(event);
    if (action) hold(action, false);
  });
  addEventListener("blur", () => [...held].forEach((action) => hold(action, false)));
}

/* --- screens --- */

const VIEWS = { take: ["Màn hình lấy số", "touch it"], board: ["Bảng thông báo", "the hall's board"] };

function viewTitle(name) {
  if (VIEWS[name]) return VIEWS[name];
  const counter = office.counters.find((c) => name === `rate:${c.id}`);
  return [`Màn hình đánh giá – quầy ${counter ? counter.label : name.slice(5)}`, "touch it"];
}

function fileOf(name) {
  return `/frames/${name.replace(":", "-")}.png`;
}

function buildScreen(view, host) {
  const [vi, en] = viewTitle(view.name);
  const picture = make("img", { alt: vi, draggable: "false", "data-view": view.name });
  const touch = make("button", { type: "button", class: "touch", title: `${vi} · ${en}` }, picture);
  touch.addEventListener("pointerdown", (event) => {
    const box = picture.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
    order({ do: "touch", view: view.name, x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) });
    host.style.setProperty("--x", `${x * 100}%`);
    host.style.setProperty("--y", `${y * 100}%`);
    host.classList.remove("touched");
    void host.offsetWidth;
    host.classList.add("touched");
  });
  const enlarge = make("button", { type: "button", class: "enlarge", title: "Phóng to · Enlarge" }, "⤢");
  enlarge.addEventListener("click", () => show(picture.src, view.name));
  host.prepend(touch, make("div", { class: "loading" }, "đang tải · ", make("i", {}, "loading")));
  host.append(enlarge);
  if (!host.classList.contains("main")) {
    host.style.aspectRatio = `${view.width} / ${view.height}`;
  }
  return picture;
}

const pictures = {};

/* A new picture takes the old one's place when it has come whole: nothing flickers, and none is fetched twice. */
function refresh(name) {
  const place = pictures[name], wanted = state.frames[name];
  if (!place || !wanted || place.loading || place.shown === wanted) return;
  place.loading = true;
  const fresh = new Image();
  const done = (good) => {
    place.loading = false;
    place.shown = wanted;
    if (good) {
      place.node.src = fresh.src;
      place.node.closest(".screen").classList.add("loaded");
      if ($("large").open && $("large").dataset.view === name) $("large").querySelector("img").src = fresh.src;
    }
    refresh(name);
  };
  fresh.onload = () => done(true);
  fresh.onerror = () => done(false);
  fresh.src = `${fileOf(name)}?n=${wanted}`;
}

function show(source, view = "") {
  const large = $("large");
  large.dataset.view = view;
  large.querySelector("img").src = source;
  large.showModal();
}

/* --- building --- */

/* What stands on the panel is in the language of the screens; the other one is the tip. */
const inEnglish = () => office.language === "en";

function serviceKey(service) {
  const action = `take:${service.id}`;
  const [name, title] = inEnglish() && service.name_en ? [service.name_en, service.name] : [service.name, service.name_en];
  const node = key(action, { class: "key", title },
    make("span", { class: "cap" }, service.digit), make("span", {}, name), letterOf(action));
  node.style.setProperty("--colour", COLOURS[service.colour] || service.colour);
  return node;
}

function plainKey(action, cap, vi, en, colour) {
  const [name, title] = inEnglish() ? [en, vi] : [vi, en];
  const top = make("span", { class: cap.length > 2 ? "cap long" : "cap" }, cap);
  const node = key(action, { class: "key", title }, top, make("span", {}, name), letterOf(action));
  node.style.setProperty("--colour", colour);
  return node;
}

function buildPanel() {
  $("panel").append(...office.services.map(serviceKey), plainKey("priority", inEnglish() ? "P" : "ƯT", "Ưu tiên", "Priority", "#d08a06"));
  if (office.keys.includes("cancel")) $("panel").append(plainKey("cancel", "✕", "Bỏ chọn", "Cancel", "#5c6a7c"));
  if (office.keys.includes("language")) $("panel").append(plainKey("language", "VI/EN", "Ngôn ngữ", "Language", "#0f7c8a"));
}

function face(counter, name) {
  const [colour, mouth] = FACES[name];
  const node = key(`rate:${counter.id}:${name}`, { class: "face", title: `${office.labels[name] || name} · ${name}` });
  node.innerHTML = `<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round">
    <circle cx="16" cy="16" r="13"/><path d="M11.5 12.5v.1M20.5 12.5v.1" stroke-width="3.6"/><path d="${mouth}"/></svg>`;
  node.append(letterOf(`rate:${counter.id}:${name}`));
  node.style.setProperty("--colour", colour);
  return node;
}

function buildCounter(counter) {
  const call = key(`call:${counter.id}`, { class: "call", title: "First press finishes, second calls; hold = nobody came" },
    make("b", {}, "Gọi · Xong"), make("small", {}, "giữ = vắng ", letterOf(`call:${counter.id}`)));
  return make("article", { class: "counter", "data-counter": counter.id },
    make("h3", { title: counter.clerk }, `Quầy ${counter.label}`, make("b", {}, "–"), make("span", {}, "chưa có số")),
    make("div", { class: "keys" }, call, ...Object.keys(FACES).map((name) => face(counter, name))));
}

function buildQueues() {
  $("queues").append(...office.services.map((service) => {
    const dot = make("span", { class: "dot" }, service.digit);
    dot.style.background = COLOURS[service.colour] || service.colour;
    return make("li", { "data-service": service.id, title: service.name_en }, dot, service.name, make("b", {}, "0"));
  }));
}

function buildFaults() {
  for (const [name, [vi, en]] of Object.entries(FAULTS)) {
    const node = make("button", { type: "button", class: "fault", role: "switch", "aria-checked": "false", "data-fault": name },
      make("span", { class: "toggle" }), make("span", {}, vi, make("i", {}, en)));
    node.disabled = !office.faults.includes(name);
    node.addEventListener("click", () => order({ do: "fault", name, on: !state.faults.includes(name) }));
    $("faults").append(node);
  }
  $("faults").append(make("p", {}, "Số đã cấp không bao giờ mất: phiếu in lại có chữ “IN LẠI”, sự kiện chờ được gửi sau.",
    make("i", {}, "A number that was given is never lost: slips come again marked IN LẠI, events wait.")));
}

const choices = {}; // id → what makes a button for a value

function buildChoice(id, values, text, command) {
  choices[id] = (value) => {
    const node = make("button", { type: "button", "data-value": value, "aria-pressed": "false" }, text(value));
    node.addEventListener("click", () => order(command(value)));
    return node;
  };
  $(id).append(...values.map(choices[id]));
}

function build() {
  $("unit").textContent = office.site;
  $("folder").textContent = office.folder;
  $("pin").textContent = office.pin;
  $("sound").addEventListener("click", () => {
    const on = $("sound").getAttribute("aria-pressed") !== "true";
    $("sound").setAttribute("aria-pressed", String(on));
    if (!on) { heard.queue = []; $("call").pause(); }
  });
  $("call").addEventListener("ended", playNext);
  for (const link of document.querySelectorAll("#lan a[data-path]")) {
    link.href = office.console + link.dataset.path;
    link.target = "_blank";
    link.rel = "noopener";
  }
  $("commune").hidden = !office.commune;
  if (office.commune) $("commune").href = office.commune;
  const [main, ...others] = office.views;
  if (main) pictures[main.name] = { node: buildScreen(main, $("screen-main")) };
  for (const view of others) {
    const host = make("figure", { class: "screen" });
    host.append(make("div", { class: "off" }));
    pictures[view.name] = { node: buildScreen(view, host) };
    $(view.name === "board" ? "screens" : "ratings").append(host);
  }
  buildPanel();
  $("counters").append(...office.counters.map(buildCounter));
  buildQueues();
  buildFaults();
  buildChoice("people", RATES, String, (per_hour) => ({ do: "people", per_hour }));
  buildChoice("speed", SPEEDS, (value) => `×${value}`, (speed) => ({ do: "speed", speed }));
  onLetters();
}

/* --- showing what is --- */

const shows = {
  figures() {
    for (const node of document.querySelectorAll("[data-figure]")) {
      node.textContent = (state.figures[node.dataset.figure] || 0).toLocaleString("vi-VN");
      if (node.dataset.figure === "waiting") node.parentElement.classList.toggle("waits", state.figures.waiting > 0);
    }
  },
  frames() { Object.keys(pictures).forEach(refresh); },
  lamps() {
    for (const node of document.querySelectorAll("#panel .key")) {
      node.classList.toggle("nolamp", !office.lamps.includes(node.dataset.action));
      node.classList.toggle("lit", Boolean(state.lamps[node.dataset.action]));
    }
    showFaces();
  },
  armed: showFaces,
  desks() {
    for (const node of document.querySelectorAll(".counter")) {
      const desk = state.desks[node.dataset.counter];
      const [vi, en] = desk ? STATES[desk.state] || [desk.state, ""] : ["chưa có số", "free"];
      node.classList.toggle("called", Boolean(desk) && desk.state === "called");
      node.querySelector("h3 b").textContent = desk ? desk.number : "–";
      node.querySelector("h3 span").textContent = vi;
      node.querySelector("h3 span").title = en;
    }
  },
  queues() {
    for (const node of $("queues").children) {
      const waiting = state.queues[node.dataset.service] || 0;
      node.querySelector("b").textContent = waiting;
      node.classList.toggle("some", waiting > 0);
    }
  },
  slips: showSlips,
  calls: hear,
  faults() {
    for (const node of document.querySelectorAll(".fault")) {
      node.setAttribute("aria-checked", String(state.faults.includes(node.dataset.fault)));
    }
  },
  running() { document.body.classList.toggle("dark", !state.running); },
  printer() {
    const [lamp, vi, en] = PRINTER[state.printer] || PRINTER.unknown;
    $("printer-lamp").className = `lamp ${lamp}`;
    $("printer-state").textContent = `${vi} · ${en}`;
  },
  per_hour() { press("people", state.per_hour); },
  clock() { press("speed", state.clock.speed); tick(); },
  device_clock_wrong: tick,
};

/* Faces light with their LED; where a counter has no LEDs, by whether a press would count. */
function showFaces() {
  for (const node of document.querySelectorAll(".face")) {
    const action = node.dataset.action;
    const wired = office.lamps.includes(action);
    node.classList.toggle("lit", Boolean(wired ? state.lamps[action] : state.armed[action.split(":")[1]]));
  }
}

function showSlips() {
  const roll = $("roll");
  if (!state.slips.length) {
    const [vi, en] = office.emulated.printer ? ["Bấm một phím để lấy số", "press a key to take a number"]
      : ["Phiếu ra ở máy in thật", "slips come out of the real printer"];
    roll.replaceChildren(make("div", { class: "none" }, vi, make("br"), make("i", {}, en)));
    return;
  }
  roll.querySelector(".none")?.remove();
  const there = new Set([...roll.children].map((node) => node.dataset.slip));
  for (const name of state.slips.filter((slip) => !there.has(slip))) {
    const picture = make("img", { alt: `Phiếu ${name}`, src: `/slips/${name}.png` });
    const node = make("button", { type: "button", "data-slip": name, title: `${name}.png` }, picture);
    node.addEventListener("click", () => show(picture.src));
    roll.prepend(node);
    roll.scrollTop = 0;
  }
  [...roll.children].slice(12).forEach((node) => node.remove());
}

/* The hall's loudspeaker: one call after the other, from the moment that somebody wants to hear them. */
const heard = { last: "", queue: [] };

function hear() {
  const fresh = state.calls.filter((name) => name > heard.last);
  if (fresh.length) heard.last = fresh[fresh.length - 1];
  if ($("sound").getAttribute("aria-pressed") !== "true") return;
  heard.queue.push(...fresh);
  playNext();
}

function playNext() {
  const player = $("call");
  if ((player.src && !player.paused && !player.ended) || !heard.queue.length) return;
  player.src = `/calls/${heard.queue.shift()}`;
  player.play().catch(() => {});
}

// A value from the command line that is none of the choices gets a button, in its place, as long as it is in force.
function press(id, value) {
  $(id).querySelector("[data-own]")?.remove();
  const nodes = [...$(id).children];
  if (!nodes.some((node) => Number(node.dataset.value) === value)) {
    const own = choices[id](value);
    own.dataset.own = "";
    $(id).insertBefore(own, nodes.find((node) => Number(node.dataset.value) > value) || null);
  }
  for (const node of $(id).children) node.setAttribute("aria-pressed", String(Number(node.dataset.value) === value));
}

function tick() {
  if (!state.clock) return;
  const at = new Date(Date.parse(state.clock.at) + (Date.now() - state.clock.real) * state.clock.speed);
  const local = new Date(at.getTime() + 7 * 3600e3); // Vietnam has no daylight saving
  const two = (n) => String(n).padStart(2, "0");
  $("clock").textContent = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  $("date").textContent = state.device_clock_wrong ? "đồng hồ máy đang sai" :
    `${DAYS[local.getUTCDay()]}, ${two(local.getUTCDate())}/${two(local.getUTCMonth() + 1)}/${local.getUTCFullYear()}`;
  $("clock").parentElement.classList.toggle("wrong", Boolean(state.device_clock_wrong));
}

function listen() {
  const events = new EventSource("/events");
  events.onopen = () => { $("lost").hidden = true; };
  events.onerror = () => { $("lost").hidden = false; };
  events.onmessage = (event) => {
    const changed = JSON.parse(event.data);
    Object.assign(state, changed);
    Object.keys(changed).forEach((part) => shows[part]?.());
  };
}

async function begin() {
  office = await (await fetch("/office")).json();
  build();
  showSlips();
  listen();
  setInterval(tick, 250);
}

begin();
