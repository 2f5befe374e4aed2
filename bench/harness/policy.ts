/** The policy that the rows of the proxy judge by. @module */

/** A policy of the usual size: two tools, a rule on an argument, two patterns for masking. */
export const POLICY = `apiVersion: aip.io/v1alpha1
kind: AgentPolicy
metadata:
  name: bench
spec:
  mode: enforce
  allowed_tools: [echo, read_file]
  tool_rules:
    - tool: read_file
      allow_args:
        path: "^/srv/.*"
  protected_paths: [/etc/shadow]
  dlp:
    enabled: true
    patterns:
      - name: AWS key
        regex: "AKIA[0-9A-Z]{16}"
      - name: Internal number
        regex: "INT-[0-9]{8}"
`
