// The rating panel: a press is sent once, and what it is told looks the same for each face (ES5).
(function () {
  "use strict";
  var Kiosk = window.Kiosk, body = document.body, said = document.getElementById("said");
  var SAID_MS = 6000, GIVE_UP_MS = 8000, timer = 0, busy = false;

  function say(text) {
    clearTimeout(timer);
    said.querySelector("span").textContent = text || "";
    said.hidden = !text;
    Kiosk.fitAll(said);
    if (text) timer = setTimeout(function () { say(""); }, SAID_MS);
  }

  function setBusy(now) { busy = now; Kiosk.toggle(body, "busy", now); }

  function answered(text) {
    var answer = null;
    try { answer = JSON.parse(text); } catch (error) { /* whatever answered was not the kiosk */ }
    setBusy(false);
    if (!answer) { say(body.getAttribute("data-failed")); return; }
    if (answer.go) { location.assign(answer.go); return; }
    say(answer.ok ? "" : answer.say);
    if (answer.parts) ["who", "ask"].forEach(function (name) { Kiosk.put(name, answer.parts[name]); });
  }

  function send(form, values) {
    if (busy) return;
    setBusy(true);
    var request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    request.timeout = GIVE_UP_MS;
    request.onload = function () { answered(request.responseText); };
    request.onerror = request.ontimeout = function () { answered(""); };
    request.send(values);
  }

  // A submit event of an old browser does not say which button was pressed.
  document.addEventListener("click", function (event) {
    var button = event.target;
    while (button && button !== document && button.nodeName !== "BUTTON") button = button.parentNode;
    if (!button || !button.form || !button.name) return;
    event.preventDefault();
    var values = [button.name + "=" + encodeURIComponent(button.value)];
    Kiosk.all(button.form, "input:checked").forEach(function (input) { values.push(input.name + "=" + encodeURIComponent(input.value)); });
    send(button.form, values.join("&"));
  });

  // All faces have letters of one size: the longest word's.
  Kiosk.on(function (name) {
    if (name !== "ask" && name !== "page") return;
    setTimeout(function () {
      var names = Kiosk.all(document, ".face .name"), least = Infinity;
      names.forEach(function (one) { least = Math.min(least, parseFloat(window.getComputedStyle(one).fontSize)); });
      names.forEach(function (one) { one.style.fontSize = least + "px"; });
    }, 0);
  });
  Kiosk.start();
})();
