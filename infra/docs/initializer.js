// Shows the document of this deployment. URLs are relative to the page, which may stand below a stage's prefix.
"use strict";

SwaggerUIBundle({
  url: "v1/openapi.json",
  domNode: document.getElementById("swagger-ui"),
  deepLinking: true,
  displayRequestDuration: true,
  // A token or a secret is forgotten when the page is left.
  persistAuthorization: false,
  // Swagger's public validator would be told about this deployment.
  validatorUrl: null,
});
