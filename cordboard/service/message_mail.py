"""The mail that tells people of a voicemail message. It blocks: `messages` calls it in a thread."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

from cordboard.service.message_notes import Message
from cordboard.settings import Mail

LARGEST_ATTACHMENT = 8 * 1024 * 1024


def send(message: Message, mail: Mail) -> None:
    """Tell everybody. Raises OSError (which smtplib's errors are) or ValueError (an address that is none)."""
    letter = compose(message, mail)
    with smtplib.SMTP(mail.host, mail.port, timeout=mail.deadline_s) as server:
        server.send_message(letter)


def compose(message: Message, mail: Mail) -> EmailMessage:
    """The mail about a message, with the recording if it is small enough and on this machine."""
    caller = " ".join(part for part in (message.caller_name, message.caller) if part) or "a withheld number"
    letter = EmailMessage()
    letter["Subject"] = f"Voicemail in {message.folder} from {caller}"[:200]
    letter["From"] = mail.sender
    letter["To"] = ", ".join(message.tell)
    letter.set_content(
        f"{caller} left a message of {message.duration_s or 0:.0f} s in {message.folder}\n"
        f"at {message.received_at:%Y-%m-%d %H:%M:%S} UTC.\n\nRecording: {message.sound}\n"
    )
    if mail.attach and message.sound.is_file() and message.sound.stat().st_size <= LARGEST_ATTACHMENT:
        letter.add_attachment(message.sound.read_bytes(), "audio", "wav", filename=message.sound.name)
    return letter
