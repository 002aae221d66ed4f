// A SIA DC-09 receiver of others (iobroker.sia) as a filter: one JSON object a line in, with a frame
// and the account's key; one a line out: what the receiver read and its answer, or its error.
"use strict";
const fs = require("fs");
const { sia } = require("iobroker.sia/build/lib/sia.js");

function receive({ frame, account, key, hex }) {
    const receiver = new sia({ timeout: 0 });
    receiver.setAccounts([{ accountnumber: account, aes: Boolean(key), hex, password: key }]);
    const message = receiver.parseSIA(Buffer.from(frame, "hex"));
    return {
        id: message.id,
        sequence: message.seq,
        account: message.act,
        data: message.data_message,
        extensions: message.data_extended,
        time: message.ts,
        answer: receiver.createACK(message).toString("hex"),
    };
}

for (const line of fs.readFileSync(0, "utf8").trim().split("\n")) {
    let result;
    try {
        result = receive(JSON.parse(line));
    } catch (error) {
        result = { error: String(error) };
    }
    console.log(JSON.stringify(result));
}
process.exit(0);
