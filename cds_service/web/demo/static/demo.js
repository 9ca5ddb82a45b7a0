// After an answer arrives, bring its heading into view and put the keyboard there.
document.addEventListener("htmx:afterSettle", () => {
  const heading = document.querySelector("[data-focus]");
  if (heading) {
    heading.removeAttribute("data-focus");
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start" });
  }
});

// A call that failed is said where its answer would have stood; advice on other orders must not stay there.
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, ({ detail: { target } }) => {
    const said = document.createElement("p");
    said.className = "fault";
    said.setAttribute("role", "alert");
    said.textContent = "The service could not be asked, so this page may be out of date. Try again.";
    target.querySelector(":scope > .fault")?.remove();
    if (target.id === "order-advice") target.replaceChildren(said);
    else target.append(said);
  });
}

// What is wrong with the form is marked at its field; who pressed the button is taken there.
document.addEventListener("htmx:afterSettle", () => {
  const fault = document.getElementById("order-fault");
  for (const marked of document.querySelectorAll("#order-form [aria-invalid]")) {
    marked.removeAttribute("aria-invalid");
    marked.removeAttribute("aria-describedby");
  }
  const field = fault?.dataset.field && document.querySelector(`#order-form [name="${fault.dataset.field}"]`);
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", "order-fault");
  if ("go" in fault.dataset) field.focus();
  delete fault.dataset.go;
});
