// What boards and rating panels share, for browsers of 2014 on (ES5): the stream, the clock, texts that fit their room.
(function () {
  "use strict";
  var LOST_AFTER_MS = 11000; // twice the server's beat, and a little
  var RETRY_MS = 2000;
  var LEAST = 0.42; // how much smaller than planned a text may become
  var body = document.body;
  var beat = Date.now(), version = null, isLost = false, clockSet = Date.now(), listeners = [];

  function id(name) { return document.getElementById(name); }

  function all(root, selector) { return Array.prototype.slice.call(root.querySelectorAll(selector)); }

  function toggle(element, name, on) { if (on) element.classList.add(name); else element.classList.remove(name); }

  // --- texts that fit ---

  function fits(room, text) {
    // Half a pixel is rounding.
    return text.scrollWidth <= room.clientWidth + 0.5 && text.offsetHeight <= room.clientHeight + 0.5;
  }

  function fit(room) {
    var text = room.firstElementChild;
    room.style.fontSize = "";
    room.classList.remove("over");
    if (!text || !room.clientHeight || fits(room, text)) return;
    var planned = parseFloat(window.getComputedStyle(room).fontSize), low = LEAST, high = 1, i, middle;
    for (i = 0; i < 6; i++) {
      middle = (low + high) / 2;
      room.style.fontSize = planned * middle + "px";
      if (fits(room, text)) low = middle; else high = middle;
    }
    room.style.fontSize = planned * low + "px";
    toggle(room, "over", !fits(room, text));
  }

  function fitAll(root) { all(root, ".fit").forEach(fit); }

  // --- the clock ---

  function wall() {
    // Milliseconds of the server's clock now; a TV's own clock may be years off, but it counts right.
    var shown = document.querySelector("#clock [data-at]");
    return shown ? Number(shown.getAttribute("data-at")) + Date.now() - clockSet : Date.now();
  }

  function two(n) { return (n < 10 ? "0" : "") + n; }

  function tick() {
    var shown = document.querySelector("#clock [data-at]"), at;
    if (!shown) return;
    at = new Date(wall() + Number(shown.getAttribute("data-zone")) * 60000);
    var text = two(at.getUTCHours()) + ":" + two(at.getUTCMinutes());
    if (shown.textContent !== text) shown.textContent = text;
  }

  // --- what is lost ---

  function setLost(now) {
    var strip = id("lost");
    if (now === isLost) return;
    isLost = now;
    strip.hidden = !now;
    strip.querySelector("span").textContent = now ? body.getAttribute("data-lost") : "";
    toggle(body, "is-lost", now);
    told("lost", strip);
    fitAll(strip);
  }

  function setStale() { toggle(body, "is-stale", !!document.querySelector("#strips [data-stale]")); }

  // --- the stream ---

  function told(name, place) { listeners.forEach(function (listener) { listener(name, place); }); }

  function put(name, html) {
    var place = id(name);
    if (!place) return;
    if (name === "office") {
      if (place.textContent !== html) location.reload();
      return;
    }
    place.innerHTML = html;
    if (name === "clock") { clockSet = Date.now(); tick(); }
    if (name === "strips") setStale();
    told(name, place);
    fitAll(place);
  }

  function alive() { beat = Date.now(); setLost(false); }

  function listen(address) {
    var source = new EventSource(address);
    source.addEventListener("version", function (event) {
      if (version !== null && version !== event.data) location.reload();
      version = event.data;
      alive();
    });
    source.addEventListener("beat", alive);
    source.addEventListener("fragment", function (event) {
      var cut = event.data.indexOf("\n");
      put(event.data.slice(0, cut), event.data.slice(cut + 1));
      alive();
    });
    source.addEventListener("go", function (event) { source.close(); location.assign(event.data); });
    source.onerror = function () {
      setLost(true);
      source.close();
      setTimeout(function () { listen(address); }, RETRY_MS);
    };
  }

  // A browser without streams loads the page again as long as there is somebody to answer.
  function reloadForEver() {
    var request = new XMLHttpRequest();
    request.open("GET", "/healthz");
    request.timeout = 4000;
    request.onload = function () { if (request.status === 200) location.reload(); else setLost(true); };
    request.onerror = request.ontimeout = function () { setLost(true); };
    request.send();
  }

  window.Kiosk = {
    all: all,
    toggle: toggle,
    fit: fit,
    fitAll: fitAll,
    put: put,
    wall: wall,
    // listener(name of the fragment, its element): before its texts are fitted.
    on: function (listener) { listeners.push(listener); },
    start: function () {
      var address = body.getAttribute("data-live");
      setStale();
      told("page", body);
      fitAll(body);
      tick();
      setInterval(tick, 1000);
      if (!address) return;
      if (window.EventSource) listen(address); else setInterval(reloadForEver, 10000);
      setInterval(function () { if (window.EventSource && Date.now() - beat > LOST_AFTER_MS) setLost(true); }, 1000);
    }
  };

  function again() { told("page", body); fitAll(body); }
  window.addEventListener("resize", again);
  // Letters are measured again when the font has come.
  if (document.fonts && document.fonts.ready) document.fonts.ready.then(again);
  else window.addEventListener("load", function () { setTimeout(again, 300); });
})();
