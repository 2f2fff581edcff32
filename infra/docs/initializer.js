// Displays the OpenAPI document of this deployment. URLs are relative, because a stage's prefix may precede the path.
"use strict";

SwaggerUIBundle({
  url: "v1/openapi.json",
  domNode: document.getElementById("swagger-ui"),
  deepLinking: true,
  displayRequestDuration: true,
  // Tokens and secrets are not stored when the page is closed.
  persistAuthorization: false,
  // Do not send the URL of this deployment to Swagger's public validator.
  validatorUrl: null,
});
