// Webhooks as others verify them (standardwebhooks): one JSON object a line in, with secret, headers and body; one
// a line out: null, or why it is not genuine.
"use strict";
const fs = require("fs");
const { Webhook } = require("standardwebhooks");

for (const line of fs.readFileSync(0, "utf8").trim().split("\n")) {
    const { secret, headers, body } = JSON.parse(line);
    let problem = null;
    try {
        new Webhook(secret).verify(body, headers);
    } catch (error) {
        problem = String(error);
    }
    console.log(JSON.stringify(problem));
}
