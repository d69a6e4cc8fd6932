"""What is wrong in a flow, as codes: see `codes`. `FLOWS` is found node by node, `LINT` in the flow as a whole."""

from __future__ import annotations

from cordboard.config.code import Code, warning

_NEAR = "Take the name that the hint suggests, or write what is missing."

FLOWS = {
    "no-verb": Code(
        "A node without a verb does nothing.",
        "Give it one: `play`, `menu`, `dial` ...",
        "a: {next: bye}",
        "a: {goto: bye}",
    ),
    "unknown-verb": Code(
        "A node whose verb is not known.",
        "Take the verb that the hint suggests.",
        "a: {plya: welcome, next: bye}",
        "a: {play: welcome, next: bye}",
    ),
    "two-verbs": Code(
        "A node has exactly one verb.",
        "Make two nodes of it, one after the other.",
        "a: {play: welcome, menu: main_menu, keys: {1: sales}}",
        "a: {play: welcome, next: b}\nb: {menu: main_menu, keys: {1: sales}}",
    ),
    "unknown-node": Code(
        "A way leads to a node that is not in the flow.",
        _NEAR,
        "a: {play: welcome, next: by}",
        "a: {play: welcome, next: bye}",
    ),
    "unknown-prompt": Code("A node plays a prompt that `prompts` does not have.", _NEAR),
    "unknown-language": Code(
        "A language that the flow does not list in `languages`.", "Add it there, or take another one."
    ),
    "missing-prompt": Code(
        "A prompt without a text in one of the flow's languages: callers of that language would hear nothing.",
        "Add the text.",
        "languages: [en, es]\nprompts:\n  welcome: {en: Welcome}",
        "languages: [en, es]\nprompts:\n  welcome: {en: Welcome, es: Bienvenido}",
    ),
    "unknown-queue": Code("There is no such queue in `queues.yaml`.", _NEAR),
    "not-for-calls": Code(
        "A call would come to a queue for something else (`medium`), where agents have no phone rung.",
        "Name a queue for calls.",
    ),
    "key-taken": Code(
        "A key leaves the queue for good and steps out of it as well.",
        "Write it into `keys` or into `step_out`.",
        "a: {queue: sales, keys: {1: bye}, step_out: {1: hours}, otherwise: bye}",
        "a: {queue: sales, keys: {9: bye}, step_out: {1: hours}, otherwise: bye}",
    ),
    "unknown-agent": Code("There is no such agent in `agents.yaml`.", _NEAR),
    "unknown-pause-reason": Code("There is no such reason under `pause_reasons` of `agents.yaml`.", _NEAR),
    "unknown-disposition": Code("No queue of `queues.yaml` has this disposition.", _NEAR),
    "unknown-skill": Code(
        "A skill is asked for that no agent of `agents.yaml` has.",
        "Correct the name, or give the skill to an agent.",
        "sales: {queue: sales, require: {spanisch: 3}, otherwise: sorry}",
        "sales: {queue: sales, require: {spanish: 3}, otherwise: sorry}",
    ),
    "skill-too-high": Code(
        "A level is asked for that no agent of the queue has, so that nobody could ever take the call for it.",
        "Ask for less, or raise an agent's level in `agents.yaml`.",
    ),
    "needs-never-met": Code(
        "Skills are asked for together that no agent of the queue has together.",
        "Ask for what one agent has, or prefer some of it.",
    ),
    "relax-never-met": Code(
        "After this step of `relax` no agent of the queue has all that is asked for.",
        "Drop or lower what nobody has together with the rest.",
    ),
    "relax-too-late": Code(
        "A step of `relax` comes when callers have waited as long as they may, and left.",
        "Let it come sooner, or let them wait longer (`max_wait_s` of the node or of the queue).",
        "sales: {queue: sales, max_wait_s: 60, require: {spanish: 3}, relax: [{after_s: 90, drop: [spanish]}]}",
        "sales: {queue: sales, max_wait_s: 180, require: {spanish: 3}, relax: [{after_s: 90, drop: [spanish]}]}",
    ),
    "overflow-never-met": Code(
        "The overflow of the queue leads to another one, where no agent will ever have what this node asks for.",
        "Relax it in time, give it to an agent of that queue, or take that step out of the overflow.",
    ),
    "relax-no-change": Code(
        "After this step of `relax` the same is asked for as before it.",
        "Take the step out, or name a skill that is asked for by then.",
    ),
    "relax-order": Code(
        "A step of `relax` comes no later than the one before it.",
        "Write the steps in the order of time.",
        "relax: [{after_s: 60, drop: [spanish]}, {after_s: 30, lower: {spanish: 1}}]",
        "relax: [{after_s: 30, lower: {spanish: 1}}, {after_s: 60, drop: [spanish]}]",
    ),
    "agent-elsewhere": Code(
        "The call is to be kept for an agent who does not serve the queue.",
        "Add the queue to the agent in `agents.yaml`, or take another agent.",
    ),
    "nobody-logged-in": Code(
        "A node does something for an agent who calls in, and no node of the flow finds out which agent that is.",
        "Put a node with `as_agent: log_in` before it.",
        "lunch: {as_agent: pause, reason: lunch, next: bye}",
        "start: {as_agent: log_in, by: ani, next: lunch}\nlunch: {as_agent: pause, reason: lunch, next: bye}",
    ),
    "unknown-flow": Code("There is no flow of that name in `flows/`.", _NEAR),
    "unknown-voicemail-box": Code("There is no such box under `voicemail` of `cordboard.yaml`.", _NEAR),
    "extension-refused": Code(
        "The dial policy (`extensions` of `cordboard.yaml`) does not allow this extension.",
        "Dial another one, or allow it there. Nothing else can be dialled, whoever asks.",
    ),
    "unknown-destination": Code("There is no such place under `transfers` of `cordboard.yaml`.", _NEAR),
    "unknown-web-service": Code(
        "There is no such service under `http` of `cordboard.yaml`: flows ask no others.", _NEAR
    ),
    "unknown-script": Code("There is no such script under `scripts` of `cordboard.yaml`.", _NEAR),
    "unknown-parameter": Code("A value for a parameter that the script or flow does not have.", _NEAR),
    "missing-parameter": Code(
        "A parameter of the script or flow gets no value.", "Add it under `with`, or `secrets`."
    ),
    "unknown-returned-value": Code("A value that the flow's `returns` does not have.", _NEAR),
    "missing-returned-value": Code("One of the flow's `returns` gets no value.", "Add it to the `return`."),
    "not-callable": Code(
        "A flow is called that never comes back.", "Give it `params` or `returns`, or use `goto`."
    ),
    "flow-needs-params": Code(
        "A `goto` leads to a flow that needs parameters.", "Call it with `subflow` and `with`."
    ),
    "subflow-language": Code(
        "A flow is called that does not speak every language of this one.", "Add the language there."
    ),
    "subflow-cycle": Code(
        "Flows call each other in a circle, and would wait for each other for ever.", "Use `goto`."
    ),
    "subflow-depth": Code("More than ten flows would wait for each other.", "Let one of them do more by itself."),
    "return-to-nobody": Code("A `return` in a flow that none can call.", "Write `returns: {}`, or use `hangup`."),
    "number-refused": Code(
        "The dial policy (`outside` of `cordboard.yaml`) does not allow the number.", "Allow it there."
    ),
    "no-extensions": Code("Callers may dial extensions, and the dial policy allows none.", "Write `extensions`."),
    "bad-path": Code("A path of a request that cannot be.", "Begin with /; what follows a ? is `query`."),
    "bad-status": Code("What is no status of an HTTP answer.", "Write a number, for instance 404."),
    "body-too-big": Code("A body of more than 200 values.", "Send less."),
    "one-method": Code("A request has one method.", "Write one of `get`, `post`, `put`, `patch`, `delete`."),
    "no-save": Code("Values are taken from an answer, and nothing says where they are kept.", "Add `save:`."),
    "bad-tag": Code("A tag is a short code: 1 to 64 characters.", "Shorten it."),
    "same-key": Code("Two answers have the same key.", "Give them different keys."),
    "say-and-tapered": Code("Both `say` and `tapered` for the same.", "Keep one of them."),
    "scale-and-keys": Code("Both `scale` and `keys` of a survey.", "Keep one of them."),
    "silent-question": Code("A question that would be asked again without a word.", "Give `again` a prompt."),
    "unfit-option": Code("An option that means nothing together with another one.", "Leave it out."),
    "bad-pattern": Code(
        "A `pattern` that is none, or too costly to be tried.", "Write for instance `[1-9][0-9]*`."
    ),
    "secret-pattern": Code(
        "A `pattern` for secret digits, which are checked for their number only.", "Take it away."
    ),
    "not-secret": Code(
        "A secret parameter is given a variable that is not secret.",
        "Name the variable of a gather with `secret: true`.",
    ),
    "no-country": Code("Holidays, and nobody has said of which country.", "Add `country:`."),
    "unknown-country": Code("No country has this code.", "Write two letters, for instance `GB`."),
    "unknown-region": Code("The country has no such region.", _NEAR),
    "no-holidays": Code("A way for holidays, and there are none.", "Add `holidays:`, or take the way out."),
    "text-syntax": Code(
        "A text with braces that name no value.",
        "Write `{variable}` or `{variable|kind}`; a brace itself is `{{`.",
        'prompts: {balance: "You have {balance|gold}."}',
        'prompts: {balance: "You have {balance|money}."}',
    ),
    "unknown-say-kind": Code("A kind of value that cannot be spoken.", _NEAR),
    "say-type": Code("The kind speaks another type: money of a text, say.", "Make a number of it with `set`."),
    "say-how": Code(
        "A text can be spoken in several ways, and nothing says how.",
        "Name the kind behind a bar.",
        'prompts: {told: "You keyed {account}."}',
        'prompts: {told: "You keyed {account|digits}."}',
    ),
    "say-detail": Code("What stands behind the kind says nothing about it.", "Behind `money` stands a currency."),
    "no-currency": Code(
        "Money, and nobody says of which currency.", "Write `{x|money GBP}`, or `currency:` in the frame."
    ),
    "cannot-say": Code(
        "There are no words for such values in the language.", "Let another language stand in, by `fallback`."
    ),
    "fallback-loop": Code(
        "Languages that stand in for each other in a circle.", "Let one of them stand in for none."
    ),
    "reserved-name": Code("A name that the service uses itself.", "Take another one."),
    "duplicate-flow": Code("Two files have a flow of the same name.", "Rename one of them."),
    "no-crm": Code("A `lookup` without a CRM to ask.", "Say in `crm.yaml` where customers are kept."),
    "no-on-error": Code(
        "A node asks something outside that may not answer, and nothing says where to go then.",
        "Add the way to the node, or `on_failure` to the flow.",
        "who: {lookup: crm, next: tier}",
        "who: {lookup: crm, next: tier, on_error: menu}",
    ),
    "say-one-thing": Code(
        "A `say` says one thing.", "Make a node of each.", "a: {say: {number: 1, digits: 1}, next: bye}"
    ),
    "dial-one-target": Code("A `dial` rings one target.", "Give one of them; another node can ring the other."),
    "unknown-zone": Code(
        "There is no such time zone.", "Write one of the IANA names, for instance `Europe/London`."
    ),
    "unknown-variable": Code("No node gives this variable a value.", _NEAR),
    "variable-type": Code(
        "A variable is text in one place and a number in another. Conditions could not be checked.",
        "Use two names.",
        "a: {set: {level: 1}, next: b}\nb: {set: {level: gold}, next: bye}",
    ),
    "record-without-consent": Code(
        "A call would be recorded without the caller being told. In many countries that is against the law.",
        "Name the prompt that tells of it, or `given_before` where another node has said it.",
        "a: {record: call, next: main}",
        "a: {record: call, consent: this_call_is_recorded, next: main}",
    ),
    "secret-overwritten": Code(
        "A variable of a secret gather gets other values too.", "Use another name: what is secret stays apart."
    ),
    "secret-used": Code(
        "Secret digits would go where they could be seen: be said, dialled, tagged, sent or logged.",
        "Give them to a script that lists the parameter under `secrets`; all else sees only `size(pin)`.",
        "read: {say: {digits: {cel: pin}}, next: bye}",
    ),
}

EXPRESSIONS = {
    "expression-syntax": Code(
        "An expression that CEL cannot read.",
        "Compare with `==`, join with `&&` and `||`, negate with `!`, put texts in quotes.",
        "if: account = 1 and vip",
        "if: \"account == '1' && vip\"",
    ),
    "expression-type": Code(
        "A comparison or formula over types that do not fit, or a result of the wrong type.",
        "Keys are text: compare with `'1'`, or make a number with `int(...)`.",
        "if: account == 1",
        "if: \"account == '1'\"",
    ),
    "expression-too-long": Code(
        "An expression of more than 500 characters.", "Split it: `set` keeps a part of it."
    ),
    "expression-loop": Code(
        "A loop (`exists`, `map`, ...): a flow has no lists to go through, and loops can cost without end.",
        "Write `x in [1, 2, 3]`, or join conditions with `&&` and `||`.",
    ),
    "bad-regex": Code("A pattern for `matches` that is no regular expression.", "Correct it; RE2 reads it."),
    "expression-too-large": Code(
        "An expression that may grow too large in a call.", "Split it: `set` keeps a part of it."
    ),
    "regex-too-large": Code("A pattern that stands for too large a machine.", "Count less: `[0-9]{1,20}`, say."),
    "regex-not-literal": Code(
        "A pattern that is worked out in the call, or a caller's own.",
        "Write it out in quotes.",
        "if: call.ani.matches(prefix)",
        "if: \"call.ani.matches('^[+]44')\"",
    ),
    "unknown-function": Code("A function that CEL does not have.", "See cel.dev for those it has."),
    "secret-in-expression": Code(
        "Secret digits never enter an expression.",
        "Only their number can be used: `size(pin) == 4`.",
        "if: \"pin == '1234'\"",
        "if: size(pin) == 4",
    ),
}

LINT = {
    "unreachable-node": warning(
        "No way leads to the node: no call ever comes there.",
        "Name it where calls should go there, or take it out.",
        "start: a\nnodes:\n  a: {hangup: normal}\n  b: {play: offers, next: a}",
    ),
    "dead-end": warning(
        "Something that may well happen has no way of its own (nobody answers, the caller stays silent), and the "
        "flow "
        "has no `on_failure`. The call goes to the safe destination of the dialplan.",
        "Give the way, or the flow an `on_failure`.",
        "sales: {queue: sales}",
        "sales: {queue: sales, otherwise: sorry}",
    ),
    "on-failure-fails": warning(
        "What `on_failure` leads to may fail itself. It helps once in a call; then the call goes to the safe "
        "destination of the dialplan.",
        "Give the nodes behind `on_failure` all their ways.",
        'on_failure: operator\nnodes:\n  operator: {dial: "0"}',
        'on_failure: operator\nnodes:\n  operator: {dial: "0", otherwise: bye}',
    ),
    "spinning-loop": Code(
        "Nodes that lead to each other and ask nothing of the call. The engine ends such a run at once.",
        "Let one of them play or ask something, or lead out by a condition.",
        "a: {goto: b}\nb: {goto: a}",
    ),
    "endless-loop": warning(
        "Nodes that lead to each other without a way out: a caller who comes there can only hang up.",
        "Let one of them lead out.",
        "a: {play: offers, next: a}",
        "a: {play: offers, next: bye}",
    ),
    "menu-without-exit": warning(
        "Every key of the menu leads back to it.",
        "Give at least one key another node.",
        "main: {menu: main_menu, keys: {1: main}}",
        "main: {menu: main_menu, keys: {1: sales, 9: main}}",
    ),
    "key-overlap": warning(
        "A key is the beginning of a longer one, or of an extension which callers may dial there. After it the "
        "menu "
        "has to wait, as the longer one may follow.",
        "Use keys that begin nothing else, or make `inter_digit_s` short.",
        "keys: {1: sales, 12: support}",
        "keys: {1: sales, 2: support}",
    ),
    "unused-prompt": warning("No node plays the prompt.", "Play it, or take it out."),
    "unused-variable": warning("A variable is set, and nothing uses it.", "Use it, or take it out."),
    "use-before-set": warning(
        "On some way to the node nothing has given the variable a value. Using it breaks the node then.",
        "Set it on every way, or at the start of the flow.",
        "start: a\nnodes:\n  a: {branch: [{if: vip, then: gold}], else: bye}\n  gold: {set: {vip: true}, next: a}",
        "start: first\nnodes:\n  first: {set: {vip: false}, next: a}\n"
        "  a: {branch: [{if: vip, then: gold}], else: bye}\n  gold: {set: {vip: true}, next: a}",
    ),
    "constant-condition": warning(
        "A condition that is the same in every call: always true hides what is below it, always false leads "
        "nowhere.",
        "Write a condition, or take it out.",
        "branch: [{if: true, then: a}, {if: vip, then: b}]",
    ),
    "repeated-condition": warning(
        "The same condition stands above in the same branch, so this one is never reached.", "Take one of them out."
    ),
    "lost-zeros": warning(
        "Digits are compared as numbers: leading zeros are gone, `0123` and `123` are equal.",
        "Compare texts.",
        "if: int(account) == 0123",
        "if: \"account == '0123'\"",
    ),
    "commented-key": warning(
        "A line `#: node` is a comment for YAML, so the key # is not in the menu.",
        "Put the key in quotes.",
        "keys:\n  1: sales\n  #: main",
        'keys:\n  1: sales\n  "#": main',
    ),
    "asks-after-hangup": warning(
        "A node behind `on_hangup` needs the caller, who has left: the run ends there without a word.",
        "Do only what needs no caller there: `tag`, `http`, `script`, `set`, `branch`.",
        "on_hangup: sorry\nnodes:\n  sorry: {play: sorry, next: bye}",
    ),
    "record-before-consent": warning(
        "`consent: given_before` relies on an announcement, and on some way to the node nothing has been said at "
        "all.",
        "Name the prompt that tells of the recording.",
        "a: {record: call, consent: given_before, next: main}",
        "a: {record: call, consent: this_call_is_recorded, next: main}",
    ),
    "switch-lacks": Code(
        "A verb or option that one of the switches in `switches` of `cordboard.yaml` cannot carry out, or a phone "
        "that its callers cannot be joined to.",
        "Take another verb, write a trunk to the other switch (`reaches`), or take the switch out of the list.",
    ),
}
