num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    terms = torch.empty(0)
    for k in range(3):
        terms.append(torch.norm(action_sequence[:, -1] - keypoints[k]))
    return -terms.mean()
