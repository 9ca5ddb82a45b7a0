// After an answer arrives, bring its heading into view and put the keyboard there.
document.addEventListener("htmx:afterSettle", () => {
  const heading = document.querySelector("[data-focus]");
  if (heading) {
    heading.removeAttribute("data-focus");
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start" });
  }
});
