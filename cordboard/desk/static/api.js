// Requests to the desk. A refusal becomes an Error whose message is the sentence the desk gave.

const LATE_MS = 8000;

export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function send(method, path, body) {
  const answer = await fetch(`/api/v1/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(LATE_MS),
    cache: "no-store",
  }).catch(() => {
    throw new Refusal(0, "The desk does not answer. Please try again.");
  });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Refusal(answer.status, problem.detail ?? "The desk refused this.");
}

export const askForTime = (offer_id) => send("POST", `offers/${encodeURIComponent(offer_id)}/more-time`);

export const sendResult = (offer_id, disposition, note) =>
  send("POST", `offers/${encodeURIComponent(offer_id)}/disposition`, { disposition, note });
