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
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
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
