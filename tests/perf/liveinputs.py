"""Rules and plan of the live benchmarks."""

from __future__ import annotations


def rules_text(count: int) -> str:
    """So many sequences with an absence, as YAML."""
    return "---\n".join(
        f"""title: Never settled {number}
name: never_settled_{number}
level: high
sequence:
  by: [transaction]
  maxspan: {number + 5}m
  steps:
    - name: begin
      where: '"charge begin"'
    - name: psp
      where: '"psp response"'
      maxpause: {number + 2}s
    - name: settled
      where: '"charge settled"'
      absent: true
      within: {number + 1}s
emit:
  fields: {{order_id: begin.order_id}}
"""
        for number in range(count)
    )


def plan_text() -> str:
    """The keys of the messages."""
    from logscope.correlation.keys import Key
    from logscope.correlation.plan import Plan, to_toml

    keys = (
        Key("order_id", fields=("order_id",), parents=()),
        Key("psp_ref", fields=("psp_ref",), parents=("order_id",)),
        Key("request_id", fields=("request_id",), parents=("order_id",)),
    )
    return to_toml(Plan(keys, grain="order_id"))
