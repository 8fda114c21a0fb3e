num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    total = 0.0
    def add(point):
        total += torch.norm(action_sequence - point, dim=-1).mean()
    for k in range(3):
        add(keypoints[k])
    return -total
