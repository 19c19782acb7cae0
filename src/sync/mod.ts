/**
 * Staying in step: the records of the fleet, how they are kept, compared and passed on, and who
 * still answers.
 *
 * @module
 */
export { type Allowance, noAllowance, patience, runsLate } from "./allowance.ts";
export { answerBulk } from "./bulk_page.ts";
export {
  type BulkEffect,
  type BulkFailure,
  type BulkLie,
  BulkSync,
  type BulkWish,
} from "./bulk_sync.ts";
export { type ComparisonReason, ComparisonTurns } from "./comparison_turns.ts";
export { fitInfo, type FittedInfo, recordBytesWith } from "./fit_info.ts";
export { type LogEntry, type LogReading, readLog, recordEntry } from "./log_format.ts";
export {
  OwnRecords,
  type OwnRecordsOptions,
  type PublishInfoOutcome,
  type PublishOutcome,
  type PublishProblem,
  type RefreshEffect,
  signingTime,
} from "./own_records.ts";
export {
  type LogDamage,
  type OpenedLog,
  OpenedRecordLog,
  openRecordLog,
  RecordLog,
  recordLogName,
  type WritableLog,
} from "./record_log.ts";
export {
  type AdmitOutcome,
  type AdmitRefusal,
  type OfferJudgement,
  type RecordSharing,
  RecordStore,
  type RecordStoreOptions,
  type RecordStoreSnapshot,
  type StoreEffect,
  type Tombstone,
} from "./record_store.ts";
export { logEntriesOf, type RestoredStore, restoreStore } from "./restore_store.ts";
export {
  readInfo,
  readLinks,
  receiveRecord,
  recordKeyOf,
  type VerifiedRecord,
  verifyRecord,
} from "./verify_record.ts";
export {
  type AuthenticationOutcome,
  type LinkDropReason,
  type LinkHealth,
  type LinkPath,
  type LinkRole,
  Monitor,
  type MonitorEffect,
  type MonitorOptions,
} from "./monitor.ts";
export {
  Push,
  type PushEffect,
  type PushOptions,
  type PushSnapshot,
  type RecordChange,
} from "./push.ts";
export { type RecordRanges } from "./range_summary.ts";
export { RecordTree, type RecordTreeShape } from "./record_tree.ts";
export { type RecordEntry, RecordTreeNode } from "./record_tree_node.ts";
export { answerCompare, answerProbe, digestOf } from "./reconcile.ts";
export {
  Reconciliation,
  type ReconciliationEffect,
  type ReconciliationEnd,
} from "./reconciliation.ts";
export { answerFetch, type FetchOutcome, settleFetch } from "./transfer.ts";
export { nextTurn, watchersOf } from "./watchers.ts";
export {
  bulkAbove,
  bulkVerifiedAtOnce,
  fetchKeysPerRequest,
  reconcilePause,
  refreshInterval,
} from "./limits.ts";
