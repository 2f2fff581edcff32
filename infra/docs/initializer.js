// Displays the OpenAPI document of this deployment. URLs are relative, because a stage's prefix may precede the path.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const applyScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
applyScheme();
dark.addEventListener("change", applyScheme);

// Deletions come last, the one with the longest path first: in this order each example works after the ones before it.
const deletionRank = (operation) => (operation.get("method") === "delete" ? 1000 - operation.get("path").length : 0);

const page = document.getElementById("swagger-ui");

// What Swagger UI leaves out for screen readers and the keyboard.
function repair() {
  for (const select of page.querySelectorAll("select:not([aria-label])")) {
    const parameter = select.closest("tr[data-param-name]")?.dataset.paramName;
    const example = select.matches(".examples-select-element") && "Example";
    select.setAttribute("aria-label", parameter || example || (select.id === "servers" ? "Server" : "Media type"));
  }
  for (const button of page.querySelectorAll(".close-modal:not([aria-label])")) button.ariaLabel = "Close";
  for (const button of page.querySelectorAll('.modal-btn[aria-label^="Apply"]')) {
    button.ariaLabel = `${button.textContent}: ${button.ariaLabel}`;
  }
  for (const block of page.querySelectorAll("pre.microlight:not([tabindex])")) block.tabIndex = 0;
  // A link inside a button; the button changes the URL, too.
  for (const link of page.querySelectorAll(".opblock-summary-control a[href]")) link.removeAttribute("href");
}

// The first field of the dialog is the client id; Swagger UI focuses the last one.
function focusFirstField(added) {
  const dialog = added.find((node) => node.nodeType === Node.ELEMENT_NODE && node.matches(".dialog-ux"));
  dialog?.querySelector("input")?.focus();
}

new MutationObserver((changes) => {
  repair();
  focusFirstField(changes.flatMap((change) => [...change.addedNodes]));
}).observe(page, { childList: true, subtree: true });

// The operations above the errors are there only now.
function scrollToError() {
  document.querySelector("#errors dt:target")?.scrollIntoView();
}

SwaggerUIBundle({
  url: "v1/openapi.json",
  domNode: page,
  deepLinking: true,
  onComplete: scrollToError,
  displayRequestDuration: true,
  operationsSorter: (one, other) => deletionRank(one) - deletionRank(other),
  // Tokens and secrets are not stored when the page is closed.
  persistAuthorization: false,
  // Do not send the URL of this deployment to Swagger's public validator.
  validatorUrl: null,
});
