# What R does first in `make demo`: a picture of the data set `volcano`, heights of Maunga Whau in Auckland on a grid of 10 m.
.First <- function() {
  .First.sys() # what .First comes before: the packages that draw
  X11(width = 6.2, height = 5.6, title = "Plot", xpos = 560, ypos = 40)
  before <- par(mar = c(1, 1, 2, 1), bg = "white")
  heights <- 3 * volcano
  rows <- nrow(heights)
  columns <- ncol(heights)
  middles <- (heights[-1, -1] + heights[-1, -columns] + heights[-rows, -1] + heights[-rows, -columns]) / 4
  colours <- hcl.colors(100, "Terrain")[cut(middles, 100)]
  persp(10 * seq_len(rows), 10 * seq_len(columns), heights,
    col = colours, theta = 135, phi = 32, scale = FALSE, ltheta = -120, shade = 0.6, border = NA, box = FALSE,
    main = "Maunga Whau, Auckland"
  )
  par(before)
  cat("\nThis R runs as a job. Try one of R's own data sets:\n\n  plot(faithful, pch = 19, col = \"steelblue\")\n\n")
}
