module go_label

go 1.19
