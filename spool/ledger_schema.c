#include "spool/ledger_schema.h"

#include <stddef.h>

const struct ledger_step ledger_steps[] = {
    { "claims, receipts, deliveries, history",
      "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL)"
      " WITHOUT ROWID;"
      "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
      " WITHOUT ROWID;"
      "INSERT INTO counter VALUES('job', 0);"

      "CREATE TABLE claim("
      " id TEXT PRIMARY KEY, partner TEXT NOT NULL, folder TEXT NOT NULL,"
      " name BLOB NOT NULL, state TEXT NOT NULL"
      "  CHECK(state IN ('CLAIMED','TAKEN','ARCHIVED')),"
      " dev INTEGER, ino INTEGER, size INTEGER, mtime_ns INTEGER,"
      " ctime_ns INTEGER, sha256 TEXT, claimed_at TEXT NOT NULL,"
      " taken_at TEXT, archived_at TEXT, archive TEXT) WITHOUT ROWID;"
      "CREATE INDEX claim_open ON claim(claimed_at)"
      " WHERE state <> 'ARCHIVED';"

      "CREATE TABLE receipt("
      " job INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
      " claim TEXT NOT NULL REFERENCES claim, route TEXT NOT NULL,"
      " partner TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,"
      " sha256 TEXT NOT NULL, once INTEGER NOT NULL, test INTEGER NOT NULL,"
      " state TEXT NOT NULL CHECK(state IN ('TAKEN','CONVERTED','DONE','HELD',"
      "  'REJECTED','SUPPRESSED')),"
      " run_id TEXT NOT NULL, run_time TEXT NOT NULL, taken_at TEXT NOT NULL,"
      " converted_at TEXT, ended_at TEXT, n_tries INTEGER NOT NULL DEFAULT 0,"
      " same_as INTEGER, n_read INTEGER NOT NULL DEFAULT 0,"
      " n_written INTEGER NOT NULL DEFAULT 0,"
      " n_aside INTEGER NOT NULL DEFAULT 0,"
      " n_skipped INTEGER NOT NULL DEFAULT 0,"
      " n_filtered INTEGER NOT NULL DEFAULT 0,"
      " n_warnings INTEGER NOT NULL DEFAULT 0,"
      " n_replaced INTEGER NOT NULL DEFAULT 0,"
      " maps TEXT NOT NULL DEFAULT '', summary TEXT NOT NULL DEFAULT '',"
      " why TEXT NOT NULL DEFAULT '');"
      "CREATE INDEX receipt_claim ON receipt(claim);"
      "CREATE INDEX receipt_content ON receipt(route, sha256);"
      "CREATE INDEX receipt_route ON receipt(route, state);"
      "CREATE INDEX receipt_open ON receipt(job) WHERE ended_at IS NULL;"

      "CREATE TABLE delivery("
      " n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
      " job INTEGER NOT NULL REFERENCES receipt, kind TEXT NOT NULL,"
      " path TEXT NOT NULL, partner TEXT NOT NULL, folder TEXT NOT NULL,"
      " name TEXT NOT NULL, replace INTEGER NOT NULL,"
      " state TEXT NOT NULL CHECK(state IN ('READY','RENAMING','DELIVERED',"
      "  'UNCONFIRMED','HELD','SUPERSEDED')),"
      " epoch INTEGER NOT NULL DEFAULT 1, bytes INTEGER NOT NULL,"
      " n_documents INTEGER NOT NULL, sha256 TEXT NOT NULL,"
      " folder_id TEXT NOT NULL DEFAULT '',"
      " name_taken INTEGER NOT NULL DEFAULT 0,"
      " by_absence INTEGER NOT NULL DEFAULT 0,"
      " why TEXT NOT NULL DEFAULT '', ready_at TEXT NOT NULL,"
      " delivered_at TEXT);"
      "CREATE INDEX delivery_job ON delivery(job);"
      "CREATE INDEX delivery_open ON delivery(n)"
      " WHERE state NOT IN ('DELIVERED','SUPERSEDED');"
      "CREATE INDEX delivery_place ON delivery(partner, folder, name);"

      "CREATE TABLE event("
      " n INTEGER PRIMARY KEY, at TEXT NOT NULL, job INTEGER NOT NULL,"
      " what TEXT NOT NULL, text TEXT NOT NULL);"
      "CREATE INDEX event_job ON event(job);"

      /* Keys of documents; the trade rules fill it. */
      "CREATE TABLE bkey("
      " scope TEXT NOT NULL, document TEXT NOT NULL, key TEXT NOT NULL,"
      " job INTEGER NOT NULL REFERENCES receipt, sha256 TEXT NOT NULL,"
      " PRIMARY KEY(scope, document, key)) WITHOUT ROWID;" },
    { "times of tries, holds by hand, slots of schedules, requests",
      "ALTER TABLE receipt ADD COLUMN retry_at TEXT;"
      "ALTER TABLE receipt ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0;"
      "CREATE TABLE slot(route TEXT PRIMARY KEY, at TEXT NOT NULL,"
      " upto INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE request("
      " n INTEGER PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL,"
      " job INTEGER NOT NULL, arg TEXT NOT NULL, done_at TEXT,"
      " ok INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '');"
      "CREATE INDEX request_open ON request(n) WHERE done_at IS NULL;" },
    { "the order of claims, by which one snapshot is newer than another",
      /* Until now it was that of the jobs. */
      "ALTER TABLE claim ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE delivery ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;"
      "UPDATE claim SET seq=(SELECT min(job) FROM receipt WHERE"
      " claim=claim.id) WHERE state<>'CLAIMED';"
      "UPDATE claim SET seq=x.seq FROM (SELECT id,(SELECT value FROM counter"
      "  WHERE name='job')+row_number() OVER (ORDER BY claimed_at,mtime_ns,"
      "  name) AS seq FROM claim WHERE state='CLAIMED') x WHERE claim.id=x.id;"
      "UPDATE delivery SET seq=(SELECT c.seq FROM receipt x JOIN claim c ON"
      " c.id=x.claim WHERE x.job=delivery.job);"
      "INSERT INTO counter SELECT 'claim',max(value,(SELECT ifnull(max(seq),0)"
      " FROM claim)) FROM counter WHERE name='job';"
      "DROP INDEX delivery_place;"
      "CREATE INDEX delivery_place ON delivery(partner, folder, name, seq);" },
    { "routes that a person has started",
      "CREATE TABLE started(route TEXT PRIMARY KEY, at TEXT NOT NULL)"
      " WITHOUT ROWID;" },
    { "files whose keep time is over",
      "ALTER TABLE claim ADD COLUMN expired_at TEXT;"
      "CREATE INDEX claim_expired ON claim(expired_at)"
      " WHERE expired_at IS NOT NULL;"
      "CREATE INDEX receipt_in_order ON receipt(route, job);" },
    { "files on partners' servers",
      /* Claimed, ours, and to be removed there: under that name. */
      "ALTER TABLE claim ADD COLUMN there BLOB;"
      "CREATE INDEX claim_there ON claim(partner) WHERE there IS NOT NULL;"
      "CREATE TABLE seen("
      " partner TEXT NOT NULL, folder TEXT NOT NULL, name BLOB NOT NULL,"
      " size INTEGER NOT NULL, mtime INTEGER NOT NULL,"
      " since INTEGER NOT NULL, taken INTEGER NOT NULL,"
      " gone_at INTEGER NOT NULL, PRIMARY KEY(partner, folder, name))"
      " WITHOUT ROWID;"
      /* Is the server reached, since when, and if not, why. */
      "CREATE TABLE line(partner TEXT PRIMARY KEY, at TEXT NOT NULL,"
      " ok INTEGER NOT NULL, held INTEGER NOT NULL, why TEXT NOT NULL)"
      " WITHOUT ROWID;" },
    { "what waits for a partner, in order",
      "CREATE INDEX delivery_to ON delivery(partner,seq,job)"
      " WHERE state NOT IN ('DELIVERED','SUPERSEDED');" },
    { "facts of the trade: documents, cards, what receivers have",
      "DROP TABLE bkey;"
      /* A document that happens once, for one output: as it came, as it was
       * sent, and what its receiver said. */
      "CREATE TABLE doc("
      " n INTEGER PRIMARY KEY, output TEXT NOT NULL, sender TEXT NOT NULL,"
      " document TEXT NOT NULL, number TEXT NOT NULL, unit TEXT NOT NULL,"
      " route TEXT NOT NULL, customer TEXT NOT NULL, email TEXT NOT NULL,"
      " date TEXT NOT NULL, first_job INTEGER NOT NULL,"
      " last_job INTEGER NOT NULL, last_at TEXT NOT NULL,"
      " line INTEGER NOT NULL, member TEXT NOT NULL, came_hash TEXT NOT NULL,"
      " state TEXT NOT NULL DEFAULT 'CAME'"
      "  CHECK(state IN ('CAME','SENT','CANCELLED')),"
      " as_number TEXT NOT NULL DEFAULT '', action TEXT NOT NULL DEFAULT '',"
      " sent_job INTEGER NOT NULL DEFAULT 0, content TEXT NOT NULL DEFAULT '',"
      " hash TEXT NOT NULL DEFAULT '', reported TEXT NOT NULL DEFAULT '',"
      " refused INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '',"
      " receiver_number TEXT NOT NULL DEFAULT '',"
      " receiver_id TEXT NOT NULL DEFAULT '',"
      " status TEXT NOT NULL DEFAULT '', carrier TEXT NOT NULL DEFAULT '',"
      " tracking TEXT NOT NULL DEFAULT '', series TEXT NOT NULL DEFAULT '',"
      " invoice TEXT NOT NULL DEFAULT '', passed TEXT NOT NULL DEFAULT '',"
      " UNIQUE(output, sender, document, number));"
      "CREATE INDEX doc_number ON doc(number);"
      "CREATE INDEX doc_as ON doc(unit, document, as_number)"
      " WHERE as_number<>'';"
      "CREATE INDEX doc_invoice ON doc(unit, invoice) WHERE invoice<>'';"
      "CREATE INDEX doc_sent ON doc(sent_job) WHERE sent_job<>0;"
      "CREATE INDEX doc_last ON doc(last_job);"
      "CREATE INDEX doc_refused ON doc(n) WHERE refused<>0;"
      /* How it has changed since it was sent: nobody was sent that, and no
       * person has seen to it. */
      "ALTER TABLE doc ADD COLUMN unsent TEXT NOT NULL DEFAULT '';"
      "CREATE INDEX doc_unsent ON doc(n) WHERE unsent<>'';"
      "CREATE TABLE story("
      " n INTEGER PRIMARY KEY, doc INTEGER NOT NULL REFERENCES doc,"
      " at TEXT NOT NULL, job INTEGER NOT NULL, what TEXT NOT NULL,"
      " text TEXT NOT NULL);"
      "CREATE INDEX story_doc ON story(doc);"
      /* Ordered by a document; counts until it is invoiced or cancelled. */
      "CREATE TABLE reserved("
      " doc INTEGER NOT NULL REFERENCES doc, unit TEXT NOT NULL,"
      " sku TEXT NOT NULL, warehouse TEXT NOT NULL, quantity TEXT NOT NULL,"
      " counts INTEGER NOT NULL);"
      "CREATE INDEX reserved_doc ON reserved(doc);"
      "CREATE INDEX reserved_unit ON reserved(unit) WHERE counts<>0;"
      /* What a partner has in his books or his shop, by each of its keys. */
      "CREATE TABLE card("
      " unit TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,"
      " code TEXT NOT NULL, name TEXT NOT NULL, hidden INTEGER NOT NULL,"
      " by_job INTEGER NOT NULL, PRIMARY KEY(unit, kind, key)) WITHOUT ROWID;"
      /* Job 0: what was delivered; others wait until they are DONE. */
      "CREATE TABLE got("
      " output TEXT NOT NULL, document TEXT NOT NULL, job INTEGER NOT NULL,"
      " content BLOB NOT NULL, PRIMARY KEY(output, document, job))"
      " WITHOUT ROWID;"
      "CREATE INDEX got_job ON got(job);"
      /* What a job decides by: one more with every job that changed it. */
      "CREATE TABLE scope(name TEXT PRIMARY KEY, version INTEGER NOT NULL)"
      " WITHOUT ROWID;"
      /* What a job sends waits for the cards that another one sends. */
      "CREATE TABLE awaits(job INTEGER NOT NULL, other INTEGER NOT NULL,"
      " PRIMARY KEY(job, other)) WITHOUT ROWID;"
      /* Deliveries of a later stage wait for those before. */
      "ALTER TABLE delivery ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;"
      "CREATE INDEX delivery_awaited ON delivery(job) WHERE stage=0 AND"
      " kind='file' AND state NOT IN ('DELIVERED','SUPERSEDED');"
      "CREATE INDEX delivery_staged ON delivery(n) WHERE stage>0 AND"
      " state='READY';"
      /* Only the document of that number; whatever the receiver got. */
      "ALTER TABLE receipt ADD COLUMN only TEXT NOT NULL DEFAULT '';"
      "ALTER TABLE receipt ADD COLUMN full INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE started ADD COLUMN full INTEGER NOT NULL DEFAULT 0;" },
    { NULL, NULL },
};
