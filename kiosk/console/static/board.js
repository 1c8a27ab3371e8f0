// The board's room: how many columns, which shape a card has, which rows fit; what is newest lights up (ES5).
(function () {
  "use strict";
  var Kiosk = window.Kiosk, all = Kiosk.all, toggle = Kiosk.toggle;
  var PAGE_MS = 10000; // the kiosk's own board turns the ticker's page at the same moments
  var cards = document.getElementById("grid"), side = document.getElementById("side");
  var ticker = document.getElementById("ticker"), called = {}, shownPage = -1;

  function unit() { return parseFloat(window.getComputedStyle(document.documentElement).fontSize) / 100; }

  // How large a number of four digits can be with so many columns (as kiosk/views/board.py reckons).
  function room(width, height, count, columns, px) {
    if (columns > count) return -1;
    var rows = Math.ceil(count / columns);
    var wide = (width / columns - 54 * px) / 2.9;
    var tall = (height / rows - 50 * px - 88 * px) / 0.74;
    return Math.min(wide, tall) * (1 - 0.06 * (rows * columns - count));
  }

  function shape(width, height) {
    if (height >= 400 && width >= 400 && width < 560) return "tall";
    if (height >= 362 && width >= 470) return "wide";
    if (height >= 230 && width >= 540) return "flat";
    return "narrow";
  }

  // Many counters leave no room for more bars: what is lost matters most, then the apology, then the ticker.
  function barRoom(count) {
    var strips = all(document, ".strip").filter(function (strip) { return !strip.hidden; });
    strips.forEach(function (strip, at) { toggle(strip, "off", count > 9 && at > 0); });
    toggle(ticker, "off", count > 6 && strips.length > (count > 9 ? 0 : 1));
  }

  function layOut() {
    barRoom(cards.querySelectorAll(".cell").length);
    var px = unit(), width = cards.clientWidth, height = cards.clientHeight, best = 1, columns, rows, name;
    var count = cards.querySelectorAll(".cell").length, gap = count > 9 ? 14 : count > 6 ? 18 : 26;
    for (columns = 2; columns <= 4; columns++)
      if (room(width, height, count, columns, px) > room(width, height, count, best, px)) best = columns;
    rows = Math.ceil(count / best);
    width = width / best / px - gap;
    height = height / rows / px - gap;
    name = shape(width, height);
    cards.className = name + " c" + best + " r" + rows + (height >= 300 ? " lines2" : height < 226 ? " no-clerk" : "");
  }

  function fillNumber(box) {
    var text = box.firstElementChild, plate = box.parentNode, height = plate.clientHeight, width = plate.clientWidth;
    if (!text || !height) return;
    box.style.fontSize = "100px";
    text.style.transform = text.style.webkitTransform = "";
    var tallest = height * (/wide|tall/.test(cards.className) ? 1.12 : 1.24), per = text.offsetWidth / 100, size = Math.min(tallest, 0.96 * width / per), narrow;
    // Five digits become narrower rather than smaller.
    if (size < tallest * 0.8) {
      narrow = Math.max(0.72, size / (tallest * 0.8));
      size = size / narrow;
      text.style.transform = text.style.webkitTransform = "scaleX(" + narrow + ")";
    }
    box.style.fontSize = size + "px";
  }

  function shorten(count) {
    var text = count.firstElementChild;
    count.classList.remove("short");
    Kiosk.fit(count);
    if (text.scrollWidth > count.clientWidth + 0.5) count.classList.add("short");
  }

  function rowsThatFit() {
    var list = document.querySelector(".rows");
    if (!list) return;
    var foot = list.getBoundingClientRect().bottom + 1;
    all(list, "li").forEach(function (row) { row.classList.remove("off"); });
    toggle(list, "tight", list.clientHeight < 132 * unit());
    all(list, "li").forEach(function (row) { toggle(row, "off", row.getBoundingClientRect().bottom > foot); });
    var missed = document.querySelector(".missed");
    if (missed) all(missed, "b").forEach(function (number) {
      number.classList.remove("off");
      toggle(number, "off", number.getBoundingClientRect().right > missed.getBoundingClientRect().right + 1);
    });
  }

  // Figures go before their ring: where there is no room for both, the ring is left out.
  function ringRoom() {
    var body = side.querySelector(".body"), px = unit();
    if (!body) return;
    body.classList.remove("no-ring");
    var labels = all(body, ".figs .fit");
    labels.forEach(Kiosk.fit);
    toggle(body, "no-ring", labels.some(function (one) { return size(one) < 24 * px; }));
  }

  // The list of called numbers always has room for two rows; the published figures give way.
  function sideRoom() {
    if (!side) return;
    var satisfaction = document.getElementById("satisfaction"), figures = document.getElementById("figures");
    satisfaction.classList.remove("off");
    ringRoom();
    toggle(side, "alone", !figures.offsetHeight || !figures.textContent.replace(/\s/g, ""));
    toggle(satisfaction, "off", document.getElementById("called").clientHeight < 205 * unit());
    rowsThatFit();
  }

  function turnPage() {
    var lines = all(ticker, "li"), page;
    if (!lines.length) return;
    page = Math.floor(Kiosk.wall() / PAGE_MS) % lines.length;
    if (page === shownPage && !lines[page].classList.contains("off")) return;
    shownPage = page;
    lines.forEach(function (line, at) { toggle(line, "off", at !== page); });
    Kiosk.fit(lines[page]);
  }

  function flash(cell) {
    var card = cell.querySelector(".card"), call = card && card.getAttribute("data-call");
    var isNew = !!call && called[cell.id] !== undefined && called[cell.id] !== call;
    called[cell.id] = call || "";
    toggle(cell, "flash", isNew);
  }

  function size(element) { return parseFloat(window.getComputedStyle(element).fontSize); }

  // A name that nobody could read is left out, as on the kiosk's own board.
  function name(cell, px) {
    var clerk = cell.querySelector(".clerk");
    cell.classList.remove("nameless");
    if (!clerk || !/narrow/.test(cards.className)) return;
    Kiosk.fit(clerk);
    toggle(cell, "nameless", size(clerk) < 20 * px);
  }

  // What a counter serves goes before who sits there, and takes a second line rather than letters too small to read.
  function serve(cell, px) {
    var line = cell.querySelector(".line");
    cell.classList.remove("two");
    if (!line || !line.clientHeight || (/no-clerk/.test(cards.className) && cell.querySelector(".number"))) return;
    Kiosk.fit(line);
    if (size(line) < 25 * px) cell.classList.add("two");
  }

  function look(cell) {
    var px = unit();
    serve(cell, px);
    name(cell, px);
    all(cell, ".number").forEach(fillNumber);
    all(cell, ".count").forEach(shorten);
  }

  Kiosk.on(function (name, place) {
    if (name.indexOf("card-") === 0) { flash(place); look(place); return; }
    if (name === "page" || name === "strips" || name === "lost") {
      layOut();
      sideRoom();
      all(cards, ".cell").forEach(look);
      if (name !== "page") Kiosk.fitAll(document.querySelector("main"));
    }
    if (name === "called" || name === "progress" || name === "satisfaction") sideRoom();
    if (name === "ticker" || name === "page") { shownPage = -1; turnPage(); }
    if (name === "page") all(cards, ".cell").forEach(function (cell) { if (called[cell.id] === undefined) flash(cell); });
  });
  setInterval(turnPage, 500);
  Kiosk.start();
})();
