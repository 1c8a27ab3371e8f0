// A page that asks for what changed says so when no answer comes: its figures may be old then.
"use strict";
(() => {
  const place = document.querySelector("[data-lost]");
  const show = (lost) => {
    document.body.classList.toggle("is-lost", lost);
    const says = lost ? place.dataset.lost : "";
    if (place.textContent !== says) place.textContent = says;
  };
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "now") show(!event.detail.successful);
  });
})();
