// Asks the npm package sns-validator about messages of Amazon SNS: validate_sns.js PACKAGE CERTIFICATE MESSAGES
// MESSAGES holds one JSON message a line; "1" or "0" is printed for each. The certificate is served in place of the network; what is
// fetched over anything but https.get, or from a host that is not SNS, never comes this far.
'use strict';
const fs = require('fs');
const https = require('https');
const stream = require('stream');

const [packagePath, certificatePath, messagesPath] = process.argv.slice(2);
const certificate = fs.readFileSync(certificatePath);

https.get = (url, answer) => {
    const response = new stream.PassThrough();
    response.statusCode = 200;
    answer(response);
    response.end(certificate);
    return response;
};

const Validator = require(packagePath);
const validator = new Validator();

function ask(line) {
    return new Promise((resolve) => validator.validate(line, (error) => resolve(error ? '0' : '1')));
}

(async () => {
    for (const line of fs.readFileSync(messagesPath, 'utf8').split('\n').filter((text) => text)) {
        console.log(await ask(line));
    }
})();
