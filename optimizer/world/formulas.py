"""The formula of each form of law, in the symbols of its coefficients."""

FORMULAS = {
    "chinchilla": "L = E + A·N^-alpha + B·D^-beta",
    "coupled": "L = E + (A·N^-alpha + B·D^-beta)^k",
    "samples": "L = E + A·N^-alpha + B·D^-beta + G·k^-gamma, of k samples",
    "kaplan": "L = ((Nc/N)^(alpha_N/alpha_D) + Dc/D)^alpha_D",
    "joint-moe": "L = a·Ê^delta·N^(alpha + gamma·ln Ê) + b·Ê^omega·D^(beta + "
    "zeta·ln Ê) + c, with 1/Ê = 1/(experts − 1 + 1/(1/E_start − 1/E_max)) + 1/E_max",
    "leverage": "L = E + A·(kappa·6^e)^-alpha·N^-(alpha(1+e))·D^-(alpha·e) + "
    "B·D^-beta, with kappa·C^e = Â^(a + d·lg C + gamma·(log2 G)² + beta_G·log2 G) "
    "and 1/Â = 1/(activation + 1/(1/A_start − 1/A_max)) + 1/A_max, G the granularity",
    "frontier": "only which tokens are compute-optimal for a size",
}
# Of these the coefficients are those of the surface that is solved.
PLAIN = ("chinchilla", "coupled")
