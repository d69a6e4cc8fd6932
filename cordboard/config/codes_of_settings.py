"""The codes of what is wrong in the files around the flows: see `codes`."""

from __future__ import annotations

from cordboard.config.code import Code, warning

_READABLE = (
    "Put the secret into the file or variable that is named there, readable by the user that runs the service."
)

AROUND = {
    "bad-zone": Code("There is no such time zone.", "Write one of the IANA names, for instance `Europe/London`."),
    "bad-destination": Code(
        "A place in the dialplan that cannot be.",
        "Write context,extension,priority.",
        "safe_destination: operators",
        "safe_destination: operators,s,1",
    ),
    "bad-mailbox": Code(
        "A mailbox of the PBX that cannot be.", "Write mailbox@context, for instance `100@default`."
    ),
    "bad-folder": Code("A name that is no plain folder.", "Use a-z, 0-9, `-` and `_`."),
    "bad-dial-rule": Code(
        "A rule of the dial policy that cannot be: a pattern of other characters, or a device that would ring "
        "more.",
        "Patterns have digits, `*`, `#`, X (0-9), Z (1-9) and N (2-9); a device is one, as `PJSIP/{extension}`.",
        "extensions: {1xx: PJSIP/1001}",
        'extensions: {1XX: "PJSIP/{extension}"}',
    ),
    "undialled-number": warning(
        "A number in `numbers.yaml` with blanks, dots, dashes or brackets: switches send none, so no call has it.",
        "Write it as the trunk sends it, digits only or with + before them.",
        "numbers: {+44 20 7946 0123: sales}",
        "numbers: {+442079460123: sales}",
    ),
    "voice-without-file": Code(
        "A command that speaks, and nothing says where it is to put what it has spoken.",
        "Write `{out}` where the name of the sound file belongs.",
    ),
    "bad-database": Code(
        "What is no address of a database.",
        "Write a file's name, or postgresql://, the user, the server and the name of the database.",
        "database: postgresql://10.0.0.5",
        "database: postgresql://cordboard@10.0.0.5/cordboard",
    ),
    "secret-in-file": Code(
        "A password or secret in a file that everybody who copies the configuration gets.",
        "Keep it in a file of its own, or an environment variable, and say which.",
        "database: postgresql://cordboard:s3cret@10.0.0.5/cordboard",
        "database: {url: postgresql://cordboard@10.0.0.5/cordboard, password: {file: secrets/database}}",
    ),
    "secret-unreadable": Code("A secret cannot be read, or is empty.", _READABLE),
    "no-flows": Code("The folder `flows` has no flow.", "Write one, or `cordboard init` a starter."),
    "file-not-read": warning(
        "A file that looks like a part of the configuration, and that nothing reads for the end of its name.",
        "Rename it so that it ends in `.yaml`, or take it away.",
    ),
    "bad-key": Code("What is no key of a telephone.", "Write one of 0 to 9, `*` and `#`, the last two in quotes."),
    "unknown-factor": Code(
        "What does not say when an agent counts as nobody.",
        "Write yes, no, strict or loose, or a list of what the hint names.",
        "join_when_empty: [pause]",
        "join_when_empty: [paused]",
    ),
    "overflow-at-once": Code(
        "A step of `overflow` without a condition: nobody would ever wait in the queue.",
        "Say when: `wait_s`, `position`, `estimated_s` or `ratio`.",
        "overflow: [{to: support}]",
        "overflow: [{wait_s: 120, to: support}]",
    ),
    "overflow-cycle": Code(
        "Queues whose `overflow` leads round in a circle: callers would be sent round for ever.",
        "Leave `to` out of one of the steps: there the flow goes on.",
    ),
    "missing-language": Code(
        "A text that belongs to others lacks one of their languages.", "Add the text in that language."
    ),
    "bad-music": Code("A name that is no music class.", "Write the name of one of `musiconhold.conf`."),
    "bad-label": Code("A label is one line of text.", "Write it in one line."),
    "bad-device": Code(
        "What is no device, or more than one.",
        "An agent has one: `PJSIP/1001` on Asterisk, `user/1001` on FreeSWITCH.",
    ),
    "unreachable-device": Code(
        "The phone of an agent or an extension, or the trunk to numbers outside, belongs to a switch that no calls "
        "come in on, and there is no trunk to it: nobody could be joined to it.",
        "Write a device of the switch that calls come in on (`user/1001` on FreeSWITCH), name the other one under "
        "`switches:`, or write how its phones are reached (`asterisk: {reaches: ...}`).",
    ),
    "bad-trunk": Code(
        "What is to ring the phones of another switch, and cannot.",
        "Write a device of this switch with `{extension}` in it: `{freeswitch: PJSIP/{extension}@freeswitch}`.",
    ),
    "shared-device": Code(
        "Two agents have the same device: one would take the other's calls.", "Give each a device."
    ),
    "shared-code": Code(
        "Two agents have the same code: on the telephone one would be taken for the other.", "Give each a code."
    ),
    "shared-number": Code(
        "Two agents call from the same number: on the telephone one would be taken for the other.",
        "List it for one of them; the other says who they are with a code.",
    ),
    "no-effect": Code(
        "An option that means nothing beside another one.",
        "Take one of them out.",
        "wrap_up: {s: 20, at_most_s: 60}",
        "wrap_up: {s: 20, mode: extendable, at_most_s: 60}",
    ),
    "no-dispositions": Code(
        "A queue's wrap-up lasts until a disposition is chosen, and there is none to choose: no agent would get "
        "another call.",
        "List `dispositions`, or take `mode: mandatory` out.",
    ),
    "not-cut-off": Code(
        "A hang-up cause that is an ordinary end of a call: who hung up was not cut off.",
        "Leave it out of `causes`.",
    ),
    "agent-first-of-many": Code(
        "A queue that rings all its agents cannot have one of them wait for the customer to answer.",
        "Write `dial: customer_first`, or another strategy.",
    ),
    "no-outside-numbers": Code(
        "A queue is to call people back, and `cordboard.yaml` does not say which numbers outside may be called.",
        "Write `outside:` there, or leave the calling to people.",
    ),
    "no-agents": Code(
        "A queue that no agent serves: callers would wait for nobody.", "List it under `queues` of an agent."
    ),
    "too-many-units": Code(
        "What comes to a queue takes up more units than any of its agents has: nobody could ever have it.",
        "Write a smaller number of `units`, or a higher `capacity` of an agent.",
    ),
    "unknown-connector": Code("There is no such connector.", "Known are `directory` and `http`."),
    "one-connector": Code("The CRM has exactly one connector.", "Keep one of them."),
    "unknown-field": Code(
        "A field that `customer` of `crm.yaml` does not have.", "Add it there, or take another one."
    ),
    "bad-url": Code("What is no address of a web service.", "Write https:// and the host."),
    "bad-header": Code("A header that HTTP does not allow.", "Use plain characters in one line."),
    "plain-http": Code("Customers would cross the network unencrypted.", "Write https://."),
    "body-with-get": Code("A GET has no body.", "Add `method: POST`."),
    "no-number": Code(
        "The caller's number stands nowhere in the question.", "Write {number} into `url` or `body`."
    ),
    "unknown-placeholder": Code("A placeholder that nothing fills in.", "Take one of those listed."),
    "certificate-unreadable": Code("The file of certificates cannot be read.", "Check its path and its owner."),
    "bad-country": Code("What is no country.", "Write two letters, for instance `GB`."),
    "bad-outside": Code("A rule about numbers of the telephone network that cannot be.", "See the message."),
    "bad-entry": Code("What names no Python function.", "Write `package.module:function`."),
    "param-twice": Code("A parameter of a script is written twice.", "A secret stands in `secrets` alone."),
    "script-unusable": Code(
        "A script cannot be imported.", "Install its package for the service, or correct `entry`."
    ),
    "private-address": Code(
        "A web service at an address of your own network, which a flow could be made to reach.",
        "Add `private: true` if it is meant.",
    ),
    "broken-row": Code("A row of the imported file cannot be used.", "Correct it and import again."),
    "no-customers": Code("The imported file holds no customers.", "Check its separator and its column names."),
}

TESTS = {
    "unknown-step": Code("A step or expectation that is not known.", "Take one of those listed."),
    "bad-time": Code("What is no time.", "Write for instance `2026-11-23 12:00`."),
    "bad-length": Code(
        "What is no length of time by chance.", "Write a number, or for instance `{mean: 120}`, as the hint says."
    ),
    "bad-shift": Code("What is no stretch of a day.", 'Write for instance `"08:00-16:30"`.'),
    "not-in-a-day": Code(
        "A simulated day has no phones that could fail, and plays no flows.", "Take another deed, or the flow out."
    ),
    "no-callbacks": Code(
        "Callers of a simulated day want to be called back by a queue that calls nobody.",
        "Write `callback: {}` for the queue.",
    ),
    "no-tests": Code("The folder has no flow tests.", "Write one, or save a simulated call as one."),
    "duplicate-test": Code("Two tests have the same name.", "Rename one of them."),
    "baresip-cannot": Code("A phone of the lab is asked for something it cannot do.", "Use the lab's own phone."),
    "one-transfer": Code("A transfer is blind or attended.", "Keep one of them."),
}
