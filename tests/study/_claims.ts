// A process of its own that adds and runs trials, beside others of its kind.
// Arguments: the store's URL and the study's id. Prints the ids it ran.
import { openStore } from "../../lib/study/store/mod.ts";
import { point, points } from "./_points.ts";

const [url, id] = Deno.args;
const studyId = Number(id);
const store = await openStore(url);
for (let i = 0; i < 20; i++) {
  await store.enqueue(studyId, points(i + 1));
  await store.addSetting(studyId, i, [point(100 + i)]);
}
for (;;) {
  const claim = await store.claim(studyId);
  if (!claim) break;
  await store.report(claim.trialId, [{ epoch: 1, value: 0.5 }]);
  await store.report(claim.trialId, [{ epoch: 2, value: 0.5 }]);
  await store.finish(claim.trialId, { state: "COMPLETE", value: 1 });
  console.log(claim.trialId);
}
await store.close();
