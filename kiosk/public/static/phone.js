// Keeps the page of a ticket up to date: by a stream of events, else by asking again. ES5: phones here are old.
(function () {
  "use strict";
  var box = document.getElementById("live");
  var lost = document.getElementById("lost");
  var asof = document.getElementById("asof");
  if (!box || !lost || !asof) return;
  var path = box.getAttribute("data-path");
  var query = box.getAttribute("data-query");
  var every = Number(box.getAttribute("data-every")) * 1000;
  var stream = null, timer = null, failures = 0, shown = "";

  function show(html) {
    // The time alone is no news for a screen reader, and no reason to draw anew.
    var news = html.replace(/data-asof="[^"]*"/, "");
    if (news !== shown) box.innerHTML = html;
    shown = news;
    var card = document.createElement("div");
    card.innerHTML = html;
    card = card.querySelector(".card");
    document.title = card.getAttribute("data-title");
    asof.textContent = card.getAttribute("data-asof");
    lost.hidden = true;
    failures = 0;
    if (!card.getAttribute("data-live")) stop();
  }

  function stop() {
    if (stream) stream.close();
    if (timer) clearInterval(timer);
    document.removeEventListener("visibilitychange", back);
  }

  function ask() {
    var request = new XMLHttpRequest();
    request.open("GET", path + (query ? query + "&" : "?") + "part=1");
    request.timeout = every;
    request.onload = function () {
      if (request.status === 200) show(request.responseText);
      else request.onerror();
    };
    request.onerror = request.ontimeout = function () { lost.hidden = false; };
    request.send();
  }

  function poll() {
    if (stream) stream.close();
    if (!timer) timer = setInterval(ask, every);
  }

  function back() { if (!document.hidden) ask(); }

  document.addEventListener("visibilitychange", back);
  if (!box.getAttribute("data-streams") || !window.EventSource) return void poll();
  stream = new EventSource(path + "/LIVE" + query);
  stream.addEventListener("fragment", function (event) { show(event.data.slice(event.data.indexOf("\n") + 1)); });
  stream.addEventListener("beat", function () { lost.hidden = true; failures = 0; });
  stream.onerror = function () {
    lost.hidden = false;
    failures += 1;
    if (stream.readyState !== 2 && failures < 3) return;
    poll();
    ask();
  };
})();
