export function Brand() {
  return (
    <span class="flex items-center gap-2.5 font-semibold tracking-tight">
      <img src="/icon.svg" alt="" width="26" height="26" />
      Token Orchestrator
    </span>
  );
}
