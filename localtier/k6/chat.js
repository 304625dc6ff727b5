// Users of one stage: each asks in its own rhythm, now and then for a generation. What differs between stages comes
// from the plan, by environment: CHAT_OPTIONS (k6's own options), CHAT_URL, CHAT_KEY, CHAT_MODEL, CHAT_HEADERS (JSON),
// CHAT_PERIOD_SECONDS, CHAT_REQUESTS_PER_GENERATION, CHAT_MAX_TOKENS, CHAT_MORE (JSON, what a generation asks for
// besides), CHAT_TIMEOUT_SECONDS, CHAT_SUMMARY (the file for the figures).
import exec from 'k6/execution';
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = JSON.parse(__ENV.CHAT_OPTIONS);
const period = Number(__ENV.CHAT_PERIOD_SECONDS);
const requestsPerGeneration = Number(__ENV.CHAT_REQUESTS_PER_GENERATION);
const headers = Object.assign(JSON.parse(__ENV.CHAT_HEADERS), {
  Authorization: `Bearer ${__ENV.CHAT_KEY}`,
  'Content-Type': 'application/json',
});

function asked(kind) {
  return { headers, tags: { kind }, timeout: `${__ENV.CHAT_TIMEOUT_SECONDS}s` };
}

function generate() {
  const body = {
    ...JSON.parse(__ENV.CHAT_MORE),
    model: __ENV.CHAT_MODEL,
    max_tokens: Number(__ENV.CHAT_MAX_TOKENS),
    messages: [{ role: 'user', content: `Explain the number ${exec.scenario.iterationInTest} in one sentence.` }],
  };
  const answer = http.post(`${__ENV.CHAT_URL}/v1/chat/completions`, JSON.stringify(body), asked('generation'));
  check(answer, { 'a completion': (one) => one.status === 200 && one.json('choices.0.message.content') !== '' });
}

export default function () {
  const turn = exec.vu.iterationInScenario;
  if (turn === 0) sleep(Math.random() * period); // users do not begin all at once
  const began = Date.now();
  if ((exec.vu.idInTest + turn) % requestsPerGeneration === 0) generate();
  else http.get(`${__ENV.CHAT_URL}/v1/models`, asked('api'));
  sleep(Math.max(0, period - (Date.now() - began) / 1000));
}

export function handleSummary(data) {
  return { [__ENV.CHAT_SUMMARY]: JSON.stringify(data) };
}
